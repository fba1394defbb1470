import { readFile, rm } from 'node:fs/promises';
import type { VerifyPosition } from '../integrity/verify-report.js';
import { replaceFile } from '../lib/replace-file.js';

/** What a run is about. */
export interface ResumedRun {
  /** The location of the store. */
  readonly store: string;
  /** That of the other copy. */
  readonly against?: string | undefined;
}

interface Content extends ResumedRun {
  readonly version: number;
  readonly position?: VerifyPosition | undefined;
}

const version = 1;

/** Keeps in a file how far a run has come, so that another one can go on from there. */
export class ResumeFile {
  /** What is to be written. */
  private next: VerifyPosition | undefined;
  private writing: Promise<void> | undefined;

  private constructor(
    private readonly path: string,
    private readonly run: ResumedRun,
    /** How far an earlier run had come; undefined: there was none. */
    readonly position: VerifyPosition | undefined,
  ) {}

  /** Reads the file, or makes it. Fails with a message for the operator, also if it is about another run. */
  static async open(path: string, run: ResumedRun): Promise<ResumeFile> {
    const content = await readContent(path);
    if (content === undefined) {
      const file = new ResumeFile(path, run, undefined);
      await file.write(undefined).catch((error: unknown) => {
        throw new Error(`${path} can't be written: ${messageOf(error)}`, { cause: error });
      });
      return file;
    }
    if (content.version !== version || content.store !== run.store || content.against !== run.against) {
      throw new Error(`${path} is about another run: name another file, or remove it to begin anew`);
    }
    return new ResumeFile(path, run, content.position);
  }

  /** Keeps how far this run has come, in the background. */
  save(position: VerifyPosition): void {
    this.next = position;
    this.writing ??= this.writeAll();
    // It is told at the end.
    this.writing.catch(() => undefined);
  }

  /** Waits until the last position is kept. */
  async saved(): Promise<void> {
    await this.writing;
  }

  /** Removes the file after a run that came to its end. */
  async remove(): Promise<void> {
    await this.writing;
    await rm(this.path, { force: true });
  }

  private async writeAll(): Promise<void> {
    while (this.next !== undefined) {
      const position = this.next;
      this.next = undefined;
      await this.write(position);
    }
    this.writing = undefined;
  }

  private async write(position: VerifyPosition | undefined): Promise<void> {
    const content: Content = { version, ...this.run, position };
    await replaceFile(this.path, JSON.stringify(content), 0o600);
  }
}

async function readContent(path: string): Promise<Content | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Error(`${path} can't be read: ${messageOf(error)}`, { cause: error });
  }
  const content = parsed(text);
  if (isContent(content)) return content;
  throw new Error(`${path} is not what \`verify --resume\` has written: name another file, or remove it to begin anew`);
}

/** Undefined if it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isContent(content: unknown): content is Content {
  return typeof content === 'object' && content !== null && 'version' in content && 'store' in content;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
