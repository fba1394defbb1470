/** What the project needs of a log; pino's loggers are one. Fields first, then a message for people. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
