import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Certificate } from '../../support/certificate.js';

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and text, as sent. */
  readonly raw: string;
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
}

export const login = { user: 'gateway', password: 'pass w0rd' };

/** A mail server that keeps what it takes, and refuses recipients whose address starts with `no`. */
export class MailServer {
  readonly taken: TakenMail[] = [];
  /** How many more mails are refused for now. */
  busy = 0;
  private readonly server: SMTPServer;

  private constructor(certificate: Certificate, options: SMTPServerOptions) {
    const refusal = (message: string, responseCode: number): Error =>
      Object.assign(new Error(message), { responseCode });
    this.server = new SMTPServer({
      key: certificate.key,
      cert: certificate.cert,
      authOptional: true,
      disableReverseLookup: true,
      onAuth: ({ username, password }, _session, done) => {
        const isRight = username === login.user && password === login.password;
        done(isRight ? null : refusal(`wrong: ${password}`, 535), { user: username });
      },
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith('no') ? refusal('there is no such mailbox', 550) : null),
      onData: (stream, { envelope, secure, user }, done) =>
        void text(stream).then((raw) => {
          if (this.busy-- > 0) return done(refusal('come back later', 451));
          this.taken.push({
            from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
            to: envelope.rcptTo.map(({ address }) => address),
            raw,
            isEncrypted: secure,
            user: user as string | undefined,
          });
          return done();
        }),
      ...options,
    });
    // Clients may refuse its certificate.
    this.server.on('error', () => undefined);
  }

  static async start(certificate: Certificate, options: SMTPServerOptions = {}): Promise<MailServer> {
    const started = new MailServer(certificate, options);
    await once(started.server.listen(0, '127.0.0.1'), 'listening');
    return started;
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(resolve));
  }
}
