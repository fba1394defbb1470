import ssh2, {
  type BaseAgent,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';

/** Some of the keys of another agent: what IdentitiesOnly asks for, as servers allow few attempts. */
export class KeyringAgent extends ssh2.BaseAgent {
  /** @param shown the keys to show, in the form that they have on the wire */
  constructor(
    private readonly agent: BaseAgent,
    private readonly shown: readonly Buffer[],
  ) {
    super();
  }

  override getIdentities(callback: IdentityCallback): void {
    this.agent.getIdentities((error, keys) => {
      if (error !== undefined && error !== null) callback(error);
      else
        callback(
          null,
          (keys ?? []).filter((key) => this.shows(key)),
        );
    });
  }

  override sign(
    key: string | Buffer | ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    if (typeof options === 'function') this.agent.sign(key, data, options);
    else this.agent.sign(key, data, options, callback);
  }

  private shows(key: unknown): boolean {
    const parsed = ssh2.utils.parseKey(key as ParsedKey);
    return !(parsed instanceof Error) && this.shown.some((one) => one.equals(parsed.getPublicSSH()));
  }
}
