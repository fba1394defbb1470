import { isDeepStrictEqual } from 'node:util';
import type { Config, StoreConfig } from '../../config/types.js';
import type { Logger } from '../../lib/logger.js';
import type { MirrorReport } from '../../watch/mirror-report.js';
import type { VerificationReport } from '../../watch/verification-report.js';
import { MirrorFile } from './mirror-file.js';
import { Mirroring, type MirroringTimes } from './mirroring.js';
import type { NewObjects } from './new-objects.js';
import type { OpenedStore } from '../stores/store-opener.js';
import { VerificationFile } from './verification-file.js';
import { Verifying, type VerifyingTimes } from './verifying.js';

export interface UpkeepOptions {
  readonly log: Logger;
  /** Take what is known of second copies and of stores' objects. Never fail. */
  readonly reportMirror: (report: MirrorReport) => void;
  readonly reportVerification: (report: VerificationReport) => void;
  readonly mirroringTimes?: Partial<MirroringTimes> | undefined;
  readonly verifyingTimes?: Partial<VerifyingTimes> | undefined;
}

/** What it depends on. */
type Upkept = Pick<StoreConfig, 'mirror' | 'verification'> & Pick<Config, 'stateDir' | 'configFile'>;

/** What runs for a store. */
interface Running {
  readonly opened: OpenedStore;
  readonly config: Upkept;
  readonly mirroring: Mirroring | undefined;
  stop(): Promise<void>;
}

/** What the gateway does for stores by itself: keeps second copies up to date, and reads and checks every object. In one of several processes. */
export class Upkeep {
  private readonly running = new Map<string, Running>();
  /** What is still coming to its end, by name. */
  private readonly stopping = new Map<string, Promise<void>>();

  constructor(private readonly options: UpkeepOptions) {}

  /** Looks after these stores, by name, from now on. Where nothing has changed, what is under way goes on. */
  setStores(
    stores: ReadonlyMap<string, OpenedStore>,
    config: Pick<Config, 'stores' | 'stateDir' | 'configFile'>,
  ): void {
    for (const [name, running] of this.running) {
      const isSame = stores.get(name) === running.opened && isDeepStrictEqual(upkept(config, name), running.config);
      if (isSame) continue;
      this.running.delete(name);
      const ends = Promise.all([this.stopping.get(name), running.stop()]);
      this.stopping.set(
        name,
        ends.then(() => undefined),
      );
    }
    for (const [name, opened] of stores) {
      if (!this.running.has(name)) this.running.set(name, this.begin(name, opened, upkept(config, name)));
    }
  }

  /** Takes note of what callers have put into stores. */
  added(all: readonly NewObjects[]): void {
    for (const each of all) this.running.get(each.store)?.mirroring?.added(each);
  }

  /** Breaks off what is under way, and waits for its end. Never rejects. */
  async stop(): Promise<void> {
    this.setStores(new Map(), { stores: new Map(), stateDir: undefined });
    await Promise.all(this.stopping.values());
  }

  private begin(name: string, opened: OpenedStore, config: Upkept): Running {
    const mirroring = this.mirroringOf(name, opened, config);
    const verifying = this.verifyingOf(name, opened, config);
    // What comes after another one of the store goes on where that one has ended.
    void Promise.resolve(this.stopping.get(name)).then(() => {
      mirroring?.start();
      verifying?.start();
    });
    return {
      opened,
      config,
      mirroring,
      stop: async () => void (await Promise.all([mirroring?.stop(), verifying?.stop()])),
    };
  }

  private mirroringOf(
    name: string,
    { own: store, location, mirror }: OpenedStore,
    config: Upkept,
  ): Mirroring | undefined {
    if (config.mirror === undefined || mirror === undefined) return undefined;
    const { log, reportMirror: report, mirroringTimes: times } = this.options;
    const file = new MirrorFile(config.stateDir, name, log);
    return new Mirroring({ name, store, location, mirror, config: config.mirror, file, report, log, times });
  }

  private verifyingOf(name: string, opened: OpenedStore, config: Upkept): Verifying | undefined {
    if (config.verification === undefined) return undefined;
    const { log, reportVerification: report, verifyingTimes: times } = this.options;
    const file = new VerificationFile(config.stateDir, name, log);
    const { backend: store, location, mirror, newRecorder } = opened;
    const about = { name, store, location, mirror, newRecorder };
    return new Verifying({
      ...about,
      config: config.verification,
      configFile: config.configFile,
      file,
      report,
      log,
      times,
    });
  }
}

function upkept(
  { stores, stateDir, configFile }: Pick<Config, 'stores' | 'stateDir' | 'configFile'>,
  name: string,
): Upkept {
  const { mirror, verification } = stores.get(name) ?? {};
  return { mirror, verification, stateDir, configFile };
}
