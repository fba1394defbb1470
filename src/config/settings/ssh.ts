import { setting } from '../setting.js';
import { flag, path, paths, text } from '../values.js';

/** How to log in to SSH servers, for sftp:// locations. What isn't set is left to OpenSSH's configuration. */
export const ssh = {
  identities: setting('ssh-identity', paths().optional(), 'a private key for SSH servers, tried first; repeatable'),
  passphraseFile: setting(
    'ssh-passphrase-file',
    path().optional(),
    'a file whose first line is the passphrase of encrypted keys',
  ),
  passphraseEnv: setting(
    'ssh-passphrase-env',
    text('NAME').optional(),
    'the environment variable that has the passphrase of encrypted keys',
  ),
  passwordFile: setting('ssh-password-file', path().optional(), 'a file whose first line is the password; tried last'),
  knownHosts: setting(
    'ssh-known-hosts',
    paths().optional(),
    "known host keys, instead of ~/.ssh/known_hosts and the system's; repeatable",
  ),
  sshConfig: setting(
    'ssh-config',
    path('none').optional(),
    "the SSH configuration, instead of ~/.ssh/config and the system's",
  ),
  insecureIgnoreHostKey: setting(
    'insecure-ignore-host-key',
    flag().prefault(false),
    'accept any host key, and so any machine that answers in place of the SSH server',
  ),
};
