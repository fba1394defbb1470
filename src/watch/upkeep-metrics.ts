import { Counter, type Registry } from 'prom-client';
import { addGauge } from './looked-up-gauge.js';
import type { MirrorStatus, Status, StoreStatus, VerificationStatus } from './status.js';

/** The metrics of second copies, and of passes that read every object. Their labels are bounded by the configuration's stores. */
export class UpkeepMetrics {
  private readonly mirrorRuns;

  /** @param status looked up when metrics are read */
  constructor(
    private readonly registry: Registry,
    private readonly status: () => Status,
  ) {
    this.mirrorRuns = new Counter({
      name: 'kloset_gateway_mirror_runs_total',
      help: 'Runs that copied what the second copy of a store lacked, by outcome.',
      labelNames: ['store', 'outcome'],
      registers: [registry],
      // From 0 on, so that the first one counts as an increase.
      collect() {
        for (const { name: store, mirror } of status().stores)
          if (mirror !== undefined) for (const outcome of ['completed', 'failed']) this.inc({ store, outcome }, 0);
      },
    });
    this.addMirrors();
    this.addVerifications();
  }

  mirrorRan(store: string, outcome: string): void {
    this.mirrorRuns.inc({ store, outcome });
  }

  private addMirrors(): void {
    const add = (name: string, help: string, value: (mirror: MirrorStatus) => number | undefined): void =>
      this.ofStores(`mirror_${name}`, help, ({ mirror }) => mirror && value(mirror));
    add(
      'lag_seconds',
      'For how long the second copy of the store may have been incomplete.',
      ({ lagMs }) => lagMs / 1000,
    );
    add('behind', 'Whether that is longer than the setting lag: 1, otherwise 0.', ({ isBehind }) => Number(isBehind));
    add('missing_objects', 'Packfiles and states that the second copy lacks.', (mirror) => mirror.missingObjects);
    add('missing_bytes', 'Bytes of the objects that the second copy lacks.', (mirror) => mirror.missingBytes);
    add(
      'last_success_timestamp_seconds',
      'When the last run that completed ended, in seconds since 1970-01-01 UTC.',
      ({ lastSuccessMs }) => lastSuccessMs && lastSuccessMs / 1000,
    );
  }
  private addVerifications(): void {
    const add = (name: string, help: string, value: (found: VerificationStatus) => number | undefined): void =>
      this.ofStores(`verify_${name}`, help, ({ verification }) => verification && value(verification));
    const which = 'by the last complete pass and the one under way';
    add('damaged_objects', `Packfiles and states that are damaged, ${which}.`, ({ damagedObjects }) => damagedObjects);
    add(
      'checked_objects',
      'Packfiles and states that the pass under way has read, or the last one.',
      ({ checkedObjects }) => checkedObjects,
    );
    add('checked_bytes', 'Bytes of these objects.', ({ checkedBytes }) => checkedBytes);
    add(
      'last_completed_timestamp_seconds',
      'When the last complete pass ended, in seconds since 1970-01-01 UTC.',
      ({ completedMs }) => completedMs && completedMs / 1000,
    );
  }

  private ofStores(name: string, help: string, value: (store: StoreStatus) => number | undefined): void {
    addGauge(this.registry, { name: `kloset_gateway_${name}`, help, labelNames: ['store'] }, (set) => {
      for (const each of this.status().stores) set({ store: each.name }, value(each));
    });
  }
}
