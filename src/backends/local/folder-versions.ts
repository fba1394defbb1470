import { statSync, type BigIntStats } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { Detours } from './detours.js';

/**
 * The file systems whose folders get their times from this machine's clock, with every change of their names, by statfs(2).
 * Network file systems have another clock, and may answer from a cache; those in user space do as they like.
 */
const trusted: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0xf2f52010, // f2fs
  0xca451a4e, // bcachefs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
]);

/**
 * How long after a folder's last change another one can no longer have the same time, in milliseconds. Times are of whole
 * seconds where they are coarsest (ext3), and of a clock that lags by the kernel's tick.
 */
const settledMs = 2000;

/** What a look at a folder may take on the event loop, in milliseconds: more than it does when the system has it in memory. */
const quickMs = 0.1;

/** Versions of folders, see FileSystem.folderVersion. */
export class FolderVersions {
  /** A list looks at 256 folders, which takes ten times as long through the thread pool. */
  private readonly detours = new Detours();
  /** Whether the file systems with these device numbers are trusted. */
  private readonly devices = new Map<bigint, boolean>();

  /** @param now a clock, in milliseconds since 1970-01-01 UTC */
  constructor(private readonly now: () => number = Date.now) {}

  /** Resolves to undefined where nothing can be promised. Fails as stat(2) does. */
  async of(path: string): Promise<string | undefined> {
    // Not the modification time: that can be set, and is, by whatever copies folders with their times.
    const { dev, ino, ctimeNs } = await this.look(path);
    if (this.now() - Number(ctimeNs / 1_000_000n) <= settledMs) return undefined;
    return (await this.isTrusted(dev, path)) ? `${dev}:${ino}:${ctimeNs}` : undefined;
  }

  private look(path: string): BigIntStats | Promise<BigIntStats> {
    if (this.detours.next()) return stat(path, { bigint: true });
    const start = performance.now();
    const found = statSync(path, { bigint: true });
    this.detours.judge(performance.now() - start, quickMs);
    return found;
  }

  private async isTrusted(device: bigint, path: string): Promise<boolean> {
    let known = this.devices.get(device);
    if (known === undefined) {
      known = trusted.has((await statfs(path)).type);
      this.devices.set(device, known);
    }
    return known;
  }
}
