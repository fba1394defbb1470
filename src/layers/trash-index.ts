import { ifPresent } from '../core/errors.js';
import type { Mac, ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext } from '../core/store.js';
import type { Trash, TrashedObject } from '../core/trash.js';
import { IdleTimer } from '../lib/idle-timer.js';
import { forEachAhead } from '../lib/for-each-ahead.js';

interface Entry {
  readonly object: TrashedObject;
  /** Once the list told it, or it was asked for. It never changes. */
  stat: ObjectStat | undefined;
}

/** How many stats run at once for each list. */
const statsAhead = 32;

/** How long a reading is kept after its last use, in milliseconds. */
const idleMs = 600_000;

/** The trash's contents are read for several requests at once, so no request's end ends that. */
const shared: OpContext = { signal: new AbortController().signal };

/** What a trash had when it was last read, by name. Callers share readings. */
export class TrashIndex {
  private latest: TrashReading | undefined;
  private running: Promise<TrashReading> | undefined;
  private next: Promise<TrashReading> | undefined;
  private readonly idle = new IdleTimer(idleMs, () => (this.latest = undefined));

  constructor(private readonly trash: Trash) {}

  /** The last reading, which may be out of date; undefined if there is none. */
  get last(): TrashReading | undefined {
    this.idle.used();
    return this.latest;
  }

  /** Reads the trash: everything that was in it at the call and stays there is found. */
  read(): Promise<TrashReading> {
    this.idle.used();
    if (this.running === undefined) return this.start();
    // The one that is running may have passed by what has just come into the trash.
    this.next ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return this.running ?? this.start();
      });
    return this.next;
  }

  get(object: TrashedObject, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    return this.trash.get(object, range, ctx);
  }

  private start(): Promise<TrashReading> {
    this.running = this.current().finally(() => (this.running = undefined));
    return this.running;
  }

  private async current(): Promise<TrashReading> {
    // Before it is listed: a change in between is then in the list already, or the next version is another one.
    const version = await this.trash.version?.(shared);
    if (version !== undefined && this.latest?.version === version) return this.latest;
    return (this.latest = await TrashReading.of(this.trash, version, this.latest));
  }
}

/** The contents of a trash at one time. */
export class TrashReading {
  /** Few names are there several times: arrays for all would take a lot of memory. */
  private readonly entries = new Map<ObjectKind, Map<Mac, Entry | Entry[]>>();

  private constructor(
    private readonly trash: Trash,
    readonly version: string | undefined,
  ) {}

  /**
   * @param version the trash's
   * @param earlier what was learnt before of what is still there
   */
  static async of(trash: Trash, version: string | undefined, earlier: TrashReading | undefined): Promise<TrashReading> {
    const reading = new TrashReading(trash, version);
    for await (const object of trash.list(shared)) {
      const known = earlier?.entriesOf(object.ref).find((each) => each.object.id === object.id);
      reading.add(known ?? { object, stat: object.stat });
    }
    return reading;
  }

  /** The names of the objects that the store had at a moment. */
  async namesAsOf(kind: ObjectKind, momentMs: number, ctx: OpContext): Promise<Set<Mac>> {
    const later: Entry[] = [];
    for (const entries of this.entries.get(kind)?.values() ?? [])
      for (const entry of listOf(entries)) if (entry.object.deletedMs > momentMs) later.push(entry);
    const unknown = later.filter(({ stat }) => stat === undefined);
    await forEachAhead(unknown, statsAhead, (entry) => this.stat(entry, ctx));
    return new Set(later.filter((entry) => hadArrived(entry, momentMs)).map(({ object }) => object.ref.mac));
  }

  /** The object of this name that the store had at a moment: the one that arrived last, where clocks differ and several fit. */
  async find(
    ref: ObjectRef,
    momentMs: number,
    ctx: OpContext,
  ): Promise<{ readonly object: TrashedObject; readonly stat: ObjectStat } | undefined> {
    let found: { readonly object: TrashedObject; readonly stat: ObjectStat } | undefined;
    for (const entry of this.entriesOf(ref)) {
      if (entry.object.deletedMs <= momentMs) continue;
      await this.stat(entry, ctx);
      const { object, stat } = entry;
      if (stat === undefined || stat.modifiedMs > momentMs) continue;
      if (found === undefined || stat.modifiedMs > found.stat.modifiedMs) found = { object, stat };
    }
    return found;
  }

  private entriesOf({ kind, mac }: ObjectRef): readonly Entry[] {
    return listOf(this.entries.get(kind)?.get(mac) ?? []);
  }

  private add(entry: Entry): void {
    const { kind, mac } = entry.object.ref;
    const ofKind = this.entries.get(kind) ?? new Map<Mac, Entry | Entry[]>();
    this.entries.set(kind, ofKind);
    const sameName = ofKind.get(mac);
    if (sameName === undefined) ofKind.set(mac, entry);
    else if (Array.isArray(sameName)) sameName.push(entry);
    else ofKind.set(mac, [sameName, entry]);
  }

  private async stat(entry: Entry, ctx: OpContext): Promise<void> {
    ctx.signal.throwIfAborted();
    entry.stat ??= await ifPresent(this.trash.stat(entry.object, ctx));
  }
}

function listOf(entries: Entry | readonly Entry[]): readonly Entry[] {
  return 'object' in entries ? [entries] : entries;
}

function hadArrived({ stat }: Entry, momentMs: number): boolean {
  return stat !== undefined && stat.modifiedMs <= momentMs;
}
