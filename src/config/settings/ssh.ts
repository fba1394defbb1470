import { setting } from '../setting.js';
import { flag, text, texts } from '../values.js';

/** How to log in to SSH servers, for sftp:// locations. */
export const ssh = {
  'ssh-identity': setting({
    schema: texts(),
    value: 'FILE',
    form: 'list',
    description: 'a private key for sftp://, tried first; repeatable',
  }),
  'ssh-passphrase-file': setting({
    schema: text(),
    value: 'FILE',
    description: 'its first line opens encrypted keys',
  }),
  'ssh-passphrase-env': setting({
    schema: text(),
    value: 'NAME',
    description: 'the environment variable that does',
  }),
  'ssh-password-file': setting({
    schema: text(),
    value: 'FILE',
    description: 'its first line is the password, tried last',
  }),
  'ssh-known-hosts': setting({
    schema: texts(),
    value: 'FILE',
    form: 'list',
    description: "known host keys, instead of ~/.ssh/known_hosts and the system's; repeatable",
  }),
  'ssh-config': setting({
    schema: text(),
    value: 'FILE|none',
    description: "the SSH configuration, instead of ~/.ssh/config and the system's",
  }),
  'insecure-ignore-host-key': setting({
    schema: flag(),
    description: 'talk to whoever answers in the place of the SSH server',
  }),
} as const;
