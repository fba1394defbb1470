import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What the driver is to do; driver/main.go explains the fields. */
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
    | 'evict'
    | 'clean'
    | 'empty';
  readonly client?: 'raw' | 'go';
  readonly address?: string;
  readonly prefix?: string;
  readonly list?: string;
  readonly buckets?: boolean;
  readonly inclusive?: boolean;
  readonly method?: 'PUT' | 'POST';
  readonly objects?: string;
  readonly connections?: number;
  readonly seconds?: number;
  readonly ops?: number;
  readonly size?: number;
  readonly seed?: number;
  readonly together?: number;
  readonly folder?: string;
  readonly count?: number;
}

/** What a run came to. */
export interface Outcome {
  readonly ops: number;
  readonly bytes?: number;
  readonly seconds: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** The median. */
  readonly firstByteMs?: number;
  /** CPU time of whoever made the load. */
  readonly clientCpuSeconds?: number;
}

/** Runs one job in a process of its own: what one leaves in memory is no burden to the next. */
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
