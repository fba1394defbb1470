/** What the primary tells a worker about places. */
export interface LeaseAnswers {
  granted(worker: number, key: string, places: number): void;
  recalled(worker: number, key: string, places: number): void;
}

/** The places of one key. */
interface Account {
  /** How many each worker holds, in use or not; none of them 0. */
  readonly held: Map<number, number>;
  /** How many of these were asked back. */
  readonly recalled: Map<number, number>;
  /** Who waits for some, first come first served. */
  line: number[];
}

/** How many parts of a worker's share are handed out at once. */
const partsOfShare = 4;

/**
 * Hands out places that workers share, such as those for connections: what they hold together is never more than there is. A worker
 * gets several at once, so that it rarely has to ask; what it doesn't use is asked back when another one finds none left.
 */
export class Ledger {
  private readonly accounts = new Map<string, Account>();

  /** @param placesOf how many there are of a key, now */
  constructor(
    private readonly workers: number,
    private readonly placesOf: (key: string) => number,
    private readonly answers: LeaseAnswers,
  ) {}

  ask(worker: number, key: string): void {
    const account = this.accountOf(key);
    account.line.push(worker);
    this.serve(key, account);
  }

  giveBack(worker: number, key: string, places: number): void {
    const account = this.accountOf(key);
    add(account.held, worker, -places);
    add(account.recalled, worker, -places);
    this.serve(key, account);
  }

  /** A worker is gone, with whatever it had under way. */
  gone(worker: number): void {
    for (const [key, account] of this.accounts) {
      account.held.delete(worker);
      account.recalled.delete(worker);
      account.line = account.line.filter((each) => each !== worker);
      this.serve(key, account);
    }
  }

  /** How many there are has changed. */
  changed(): void {
    for (const [key, account] of this.accounts) this.serve(key, account);
  }

  private serve(key: string, account: Account): void {
    const places = this.placesOf(key);
    const batch = Math.max(1, Math.floor(places / (partsOfShare * this.workers)));
    let free = places - sum(account.held);
    while (free > 0) {
      const worker = account.line.shift();
      if (worker === undefined) break;
      // Those who wait behind it get one each, if there are so many.
      const granted = Math.max(1, Math.min(batch, free - account.line.length));
      add(account.held, worker, granted);
      free -= granted;
      this.answers.granted(worker, key, granted);
    }
    this.recall(key, account, account.line.length - Math.min(0, free));
    if (account.held.size === 0 && account.line.length === 0) this.accounts.delete(key);
  }

  /** Asks so many back: from everyone, as it isn't known here who has free ones. What comes that nobody needs is handed out again. */
  private recall(key: string, account: Account, wanted: number): void {
    for (const [worker, held] of account.held) {
      const places = Math.min(wanted, held) - (account.recalled.get(worker) ?? 0);
      if (places <= 0) continue;
      add(account.recalled, worker, places);
      this.answers.recalled(worker, key, places);
    }
  }

  private accountOf(key: string): Account {
    const present = this.accounts.get(key);
    if (present !== undefined) return present;
    const account: Account = { held: new Map(), recalled: new Map(), line: [] };
    this.accounts.set(key, account);
    return account;
  }
}

function add(counts: Map<number, number>, worker: number, places: number): void {
  const now = (counts.get(worker) ?? 0) + places;
  if (now > 0) counts.set(worker, now);
  else counts.delete(worker);
}

function sum(counts: ReadonlyMap<number, number>): number {
  let all = 0;
  for (const count of counts.values()) all += count;
  return all;
}
