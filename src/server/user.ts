/** The user who runs the gateway, with their keys and SSH configuration. */
export interface User {
  readonly name: string;
  /** The absolute path of the home folder. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}
