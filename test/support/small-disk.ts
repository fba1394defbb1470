import { spawnSync } from 'node:child_process';
import { statfs } from 'node:fs/promises';

/** A file system in memory, mounted over a folder, that can be made full. */
export class SmallDisk {
  private constructor(private readonly folder: string) {}

  /** Undefined where mounting isn't permitted. */
  static mount(folder: string): SmallDisk | undefined {
    const disk = new SmallDisk(folder);
    return disk.run('mount', '-t', 'tmpfs', '-o', 'size=1g', 'none', folder) ? disk : undefined;
  }

  /** Leaves no room beyond what is used. Resolves to a function that makes room again. */
  async fill(): Promise<() => Promise<void>> {
    const { blocks, bfree, bsize } = await statfs(this.folder);
    this.resize(`${(blocks - bfree) * bsize}`);
    return async () => {
      this.resize('1g');
    };
  }

  unmount(): void {
    this.run('umount', '--lazy', this.folder);
  }

  private resize(size: string): void {
    if (!this.run('mount', '-o', `remount,size=${size}`, this.folder)) throw new Error('it has not become full');
  }

  private run(command: string, ...args: string[]): boolean {
    return spawnSync(command, args).status === 0;
  }
}
