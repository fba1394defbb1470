import type { TextSettings } from '../config/sources.js';
import type { CommandName, UndoCommandName } from './commands.js';
import type { Shell } from './completion/completion-script.js';

/* The commands as they were typed. A moment, and a path, are kept as text; numbers and sizes are read and checked. */

export type Command =
  | {
      readonly name: 'help';
      /** A command, or a group of commands; undefined: the program. */ readonly about: string | undefined;
    }
  | { readonly name: 'version' | 'plugin' }
  | { readonly name: 'completion'; readonly shell: Shell }
  | UnknownCommand
  | ServeCommand
  | TokenCommand
  | NotifyTestCommand
  | UndoCommand
  | KeepCommand;

/** Wrong usage: of a command, or of none that there is. */
export interface UnknownCommand {
  readonly name: 'unknown';
  readonly command?: CommandName;
  readonly problems: readonly string[];
  /** Whether a program is to read the outcome. */
  readonly json?: boolean;
}

/** Serves, or checks the settings for that. */
export interface ServeCommand {
  readonly name: 'serve' | 'check-config';
  /** The options and the location as typed: their values aren't checked. */
  readonly flags: TextSettings;
  /** The configuration file; undefined: none is named. */
  readonly configPath: string | undefined;
  readonly problems: readonly string[];
}

export type TokenCommand = TokenCreateCommand | TokenListCommand | TokenRevokeCommand;

/** Makes a token for a principal. */
export interface TokenCreateCommand {
  readonly name: 'token create';
  readonly principal: string;
  /** As typed; undefined: never. */
  readonly expires: string | undefined;
  /** As typed: `STORE=LEVEL`, or `LEVEL` for the default store. */
  readonly access: readonly string[];
  /** The file that the token's hash is added to; undefined: none is named. */
  readonly configPath: string | undefined;
}

/** Lists the tokens in a configuration file. */
export interface TokenListCommand {
  readonly name: 'token list';
  /** Undefined: none is named. */
  readonly configPath: string | undefined;
}

/** Removes a token from a configuration file. */
export interface TokenRevokeCommand {
  readonly name: 'token revoke';
  readonly principal: string;
  /** The start of the token's SHA-256; undefined: the principal's only one. */
  readonly id: string | undefined;
  /** Undefined: none is named. */
  readonly configPath: string | undefined;
}

/** Sends a test to everyone who is told of events. */
export interface NotifyTestCommand {
  readonly name: 'notify test';
  /** Undefined: none is named. */
  readonly configPath: string | undefined;
}

/** A store, as a command line names it. */
export interface StoreArgument {
  /** The location and the options about its server as typed. */
  readonly flags: TextSettings;
  /** Undefined: none is named. */
  readonly configPath: string | undefined;
  /** A store of the configuration file. */
  readonly store: string | undefined;
}

/** A command about one store. */
export interface StoreCommand extends StoreArgument {
  readonly name: CommandName;
  readonly json: boolean;
}

/** Shows or changes what a store has and had. A command has the options that its Usage lists; the others are undefined, false or empty. */
export interface UndoCommand extends StoreCommand {
  readonly name: UndoCommandName;
  /** Moments as typed. */
  readonly asOf: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly before: string | undefined;
  /** MACs or starts of MACs, as typed. */
  readonly macs: readonly string[];
  readonly all: boolean;
  readonly apply: boolean;
  readonly despiteLocks: boolean;
}

export type KeepCommand = CopyCommand | VerifyCommand | RepairCommand | InfoCommand | LocksCommand;

/** How fast a command reads and writes. */
export interface Pace {
  /** How many objects at the same time. */
  readonly jobs: number;
  /** For all of them together; undefined: as fast as it goes. */
  readonly bytesPerSecond: number | undefined;
}

/** Copies what another store doesn't have. */
export interface CopyCommand extends Pace {
  readonly name: 'copy';
  readonly source: StoreArgument;
  readonly destination: StoreArgument;
  /** Whether the destination is made, with the source's CONFIG. */
  readonly create: boolean;
  /** Whether what was copied is read back and compared. */
  readonly verify: boolean;
  /** A moment as typed; undefined: the source as it is. */
  readonly asOf: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Looks for damaged objects. */
export interface VerifyCommand extends StoreCommand, Pace {
  readonly name: 'verify';
  /** Another copy to compare with. */
  readonly against: StoreArgument | undefined;
  /** The share of the objects that are checked, above 0 and up to 1; undefined: all. */
  readonly sample: number | undefined;
  /** Whether the digests of objects without one are recorded. */
  readonly record: boolean;
  /** Whether what is missing is recorded as deleted, and nothing is read. */
  readonly acceptMissing: boolean;
  /** The path, as typed, of the file that keeps how far it has come. */
  readonly resume: string | undefined;
}

/** Replaces damaged objects with those of another copy. */
export interface RepairCommand extends StoreCommand, Pace {
  readonly name: 'repair';
  /** The other copy. */
  readonly from: StoreArgument;
  /** MACs or starts of MACs, as typed; empty: whatever is damaged. */
  readonly macs: readonly string[];
  /** Whether objects are also replaced where nothing tells which copy is right. */
  readonly unproven: boolean;
  /** The path, as typed, of the folder that the damaged objects are moved to; undefined: the store's trash. */
  readonly toFolder: string | undefined;
  readonly apply: boolean;
}

/** Shows what a store has. */
export interface InfoCommand extends StoreCommand {
  readonly name: 'info';
}

/** Lists or removes a store's locks. */
export interface LocksCommand extends StoreCommand {
  readonly name: 'locks list' | 'locks remove';
  /** Whether all that are stale are meant. */
  readonly stale: boolean;
  /** MACs or starts of MACs, as typed. */
  readonly macs: readonly string[];
  readonly apply: boolean;
}
