import { stat, statfs } from 'node:fs/promises';

/**
 * File systems, by their magic number (statfs(2)), that set a folder's times by this machine's clock with every change of its names.
 * Network file systems use another clock and may answer from a cache; those in user space do as they like.
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
 * How long after a folder's last change another change can no longer get the same time, in milliseconds. The coarsest times are whole
 * seconds (ext3), by a clock that lags by the kernel's tick.
 */
const settledMs = 2000;

/** Versions of folders, see FileSystem.folderVersion. */
export class FolderVersions {
  /** Whether the file systems with these device numbers are trusted. */
  private readonly devices = new Map<bigint, boolean>();

  /** @param now a clock, in milliseconds since 1970-01-01 UTC */
  constructor(private readonly now: () => number = Date.now) {}

  /** Resolves to undefined if nothing can be promised. Fails as stat(2) does. */
  async of(path: string): Promise<string | undefined> {
    // Not the modification time, which programs that copy folders set.
    const { dev, ino, ctimeNs } = await stat(path, { bigint: true });
    if (this.now() - Number(ctimeNs / 1_000_000n) <= settledMs) return undefined;
    return (await this.isLocalDisk(dev, path)) ? `${dev}:${ino}:${ctimeNs}` : undefined;
  }

  /** Whether a device's file system is one of this machine's own, in the kernel. @param path of something on it */
  async isLocalDisk(device: bigint, path: string): Promise<boolean> {
    let known = this.devices.get(device);
    if (known === undefined) {
      known = trusted.has((await statfs(path)).type);
      this.devices.set(device, known);
    }
    return known;
  }
}
