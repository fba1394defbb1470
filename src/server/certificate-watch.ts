import type { TlsConfig } from '../config/types.js';
import type { Logger } from '../lib/logger.js';
import { TlsCredentials } from '../net/tls-credentials.js';

/** How often it is looked whether the certificate is about to end, in milliseconds. */
const checkEveryMs = 12 * 60 * 60 * 1000;

/** The gateway's certificate: read anew with each configuration, and warned of before it ends. */
export class CertificateWatch {
  private current: TlsCredentials | undefined;
  private next: TlsConfig | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly log: Logger) {
    this.timer = setInterval(() => this.warn(), checkEveryMs).unref();
  }

  /** For listeners with TLS: they ask it at each connection. */
  get credentials(): TlsCredentials | undefined {
    return this.current;
  }

  /** In milliseconds since 1970-01-01 UTC; undefined without a certificate. */
  get expiresMs(): number | undefined {
    return this.current?.expiresMs;
  }

  /** Makes sure that what a configuration names can be used. Fails with a message for the operator, and changes nothing. */
  async prepare(config: TlsConfig | undefined): Promise<void> {
    this.next = config;
    if (config === undefined) return;
    const loaded = await TlsCredentials.load(config);
    this.current ??= loaded;
  }

  /** Takes on what was prepared. A file that was replaced by a bad one in that moment is reported, and the old one stays. */
  async commit(): Promise<void> {
    if (this.next === undefined) this.current = undefined;
    if (this.next === undefined || this.current === undefined) return;
    try {
      await this.current.reload(this.next);
    } catch (error) {
      this.log.error({}, `${error instanceof Error ? error.message : String(error)}; the old certificate stays in use`);
    }
    this.warn();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private warn(): void {
    const warning = this.current?.expiryWarning(Date.now());
    if (warning !== undefined) this.log.warn({ expiresMs: this.expiresMs }, warning);
  }
}
