import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What the driver does in one run; driver/main.go documents the fields. */
export interface Job {
  readonly mode:
    | 'ranges'
    | 'objects'
    | 'puts'
    | 'list'
    | 'grpc-get'
    | 'grpc-put'
    | 'read-ranges'
    | 'fill'
    | 'link'
    | 'evict'
    | 'clean'
    | 'empty';
  readonly client?: 'raw' | 'go' | 'h2';
  readonly address?: string;
  readonly replicas?: readonly string[];
  readonly ca?: string;
  readonly prefix?: string;
  readonly stores?: readonly string[];
  readonly list?: string;
  readonly buckets?: boolean;
  readonly inclusive?: boolean;
  readonly method?: 'PUT' | 'POST';
  readonly sized?: boolean;
  readonly objects?: string;
  readonly connections?: number;
  readonly seconds?: number;
  readonly ops?: number;
  readonly size?: number;
  readonly seed?: number;
  readonly together?: number;
  readonly folder?: string;
  readonly from?: string;
  readonly count?: number;
}

/** What a run did, and how long it took. */
export interface Outcome {
  readonly ops: number;
  readonly bytes?: number;
  readonly seconds: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** The median. */
  readonly firstByteMs?: number;
  /** The load generator's CPU time. */
  readonly clientCpuSeconds?: number;
}

/** Runs one job in a new process, so that no job starts with the memory of another. */
export async function drive(program: string, job: Job): Promise<Outcome> {
  try {
    const { stdout } = await promisify(execFile)(program, [JSON.stringify(job)]);
    return JSON.parse(stdout) as Outcome;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`${job.mode} at ${job.address ?? job.folder ?? ''}: ${stderr?.trim() ?? String(error)}`, {
      cause: error,
    });
  }
}
