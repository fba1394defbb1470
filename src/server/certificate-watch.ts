import type { TlsConfig } from '../config/types.js';
import type { Logger } from '../lib/logger.js';
import { TlsCredentials } from '../net/tls-credentials.js';

/** How often the expiry of the certificate is checked, in milliseconds. */
const checkEveryMs = 12 * 60 * 60 * 1000;

/** The gateway's certificate. It is read again at each reload, and warns before it expires. */
export class CertificateWatch {
  /** For listeners with TLS, which use the current certificate for each new connection. */
  credentials: TlsCredentials | undefined;
  private next: TlsConfig | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly log: Logger) {
    this.timer = setInterval(() => this.warn(), checkEveryMs).unref();
  }

  /** In milliseconds since 1970-01-01 UTC; undefined without a certificate. */
  get expiresMs(): number | undefined {
    return this.credentials?.expiresMs;
  }

  /** Checks that the files of a configuration can be used, and changes nothing. Fails with a message for the operator. */
  async prepare(config: TlsConfig | undefined): Promise<void> {
    this.next = config;
    if (config === undefined) return;
    const loaded = await TlsCredentials.load(config);
    this.credentials ??= loaded;
  }

  /** Reads the prepared files. If they have become invalid since, that is reported and the previous certificate stays in use. */
  async commit(): Promise<void> {
    if (this.next === undefined) this.credentials = undefined;
    if (this.next === undefined || this.credentials === undefined) return;
    try {
      await this.credentials.reload(this.next);
    } catch (error) {
      this.log.error(
        {},
        `${error instanceof Error ? error.message : String(error)}; the previous certificate stays in use`,
      );
    }
    this.warn();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private warn(): void {
    const warning = this.credentials?.expiryWarning(Date.now());
    if (warning !== undefined) this.log.warn({ expiresMs: this.expiresMs }, warning);
  }
}
