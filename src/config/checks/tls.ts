import type { SettingName } from '../definition.js';
import { resolvePath } from '../paths.js';
import type { TlsConfig } from '../types.js';
import type { Context } from './context.js';

/** The certificate and its key: both or neither. */
export function checkTls(context: Context): TlsConfig | undefined {
  const { given, values } = context;
  const file = (name: SettingName & ('cert' | 'key' | 'client-ca')): string | undefined => {
    const { [name]: path } = values;
    return path === undefined ? undefined : resolvePath(path, context.origins.surroundingsOf(name));
  };
  if (given.cert !== undefined && given.key === undefined) {
    context.problem(['cert'], 'there is no key for this certificate: give the key, too');
  }
  if (given.key !== undefined && given.cert === undefined) {
    context.problem(['key'], 'there is no certificate for this key: give the cert, too');
  }
  if (given['client-ca'] !== undefined && given.cert === undefined) {
    context.problem(['client-ca'], 'clients show certificates over TLS only: give a cert and its key, too');
  }
  if (values['client-cert'] === 'required' && given['client-ca'] === undefined) {
    context.problem(['client-cert'], 'no certificate could be trusted: give a client-ca, too');
  }
  const [cert, key, clientCa] = [file('cert'), file('key'), file('client-ca')];
  if (cert === undefined || key === undefined) return undefined;
  return { cert, key, clientCa, clientCertRequired: values['client-cert'] === 'required' };
}
