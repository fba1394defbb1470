import { readHtpasswd } from '../auth/htpasswd-file.js';
import type { Config } from '../config/types.js';
import { TlsCredentials } from '../net/tls-credentials.js';

/** Problems with the files that a configuration names: certificates, keys, passwords. They are read in the same way as by `serve`. */
export async function namedFilesProblems({ htpasswd, tls }: Config): Promise<string[]> {
  const read = [htpasswd && readHtpasswd(htpasswd), tls && TlsCredentials.load(tls)];
  const results = await Promise.allSettled(read);
  return results.flatMap((each) =>
    each.status === 'rejected' ? String((each.reason as Error).message).split('\n') : [],
  );
}
