/** A mail server, and how the connection to it is encrypted. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the start; `required`: only with STARTTLS; `offered`: with STARTTLS if the server has it, else in the clear. */
  readonly tls: 'implicit' | 'required' | 'offered';
}

const kinds = {
  'smtps:': { port: 465, tls: 'implicit' },
  'smtp+starttls:': { port: 587, tls: 'required' },
  'smtp:': { port: 25, tls: 'offered' },
} as const;

/** Parses the URL of a mail server. The problem never repeats the text, which may contain a password. */
export function parseMailServer(text: string): MailServer | { readonly problem: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const kind = Object.entries(kinds).find(([protocol]) => protocol === url?.protocol)?.[1];
  if (url === undefined || kind === undefined || !/^([\w.-]+|\[.*\])$/.test(url.hostname) || url.port === '0')
    return { problem: 'must be smtps://HOST, smtp+starttls://HOST or smtp://HOST, where :PORT can follow' };
  if (url.username !== '' || url.password !== '')
    return { problem: "can't contain a user or a password: set user, and password or password-file" };
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '')
    return { problem: 'must end after the host and the port' };
  // Without the brackets of an IPv6 address.
  return {
    ...kind,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
  };
}
