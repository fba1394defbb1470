/** Who runs the gateway: whose keys and SSH configuration count. */
export interface User {
  readonly name: string;
  /** The home folder's absolute path. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}
