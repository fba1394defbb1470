import type { Day, MachineStatus, Status, StoreStatus } from '../../../../src/watch/status.js';

/** The moment of all statuses here. */
export const nowMs = Date.UTC(2026, 2, 14, 9, 30);

export const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const gib = 1024 ** 3;

/** Thirty days, each with what `of` says of it; 29 is today. */
export function days(of: (day: number) => Day): Day[] {
  return Array.from({ length: 30 }, (_, day) => of(day));
}

export function machineStatus(principal: string, store: string, more: Partial<MachineStatus> = {}): MachineStatus {
  return {
    principal,
    store,
    lastBackup: {
      startMs: nowMs - 7.2 * hourMs,
      endMs: nowMs - 7 * hourMs,
      newBytes: 1.25 * gib,
      address: '192.0.2.17',
    },
    days: days(() => ({ completed: 1, failed: 0 })),
    expectedMs: 26 * hourMs,
    dueMs: nowMs + 19 * hourMs,
    isOverdue: false,
    ...more,
  };
}

/** A machine that is expected to back up, and has not done so yet. */
export function awaitedStatus(principal: string, store: string): MachineStatus {
  return { ...quietMachine(principal, store), expectedMs: 26 * hourMs, dueMs: nowMs + 25 * hourMs };
}

/** A machine that should have backed up `hours` ago. */
export function overdueStatus(principal: string, store: string, hours: number): MachineStatus {
  const endMs = nowMs - (26 + hours) * hourMs;
  return machineStatus(principal, store, {
    lastBackup: { startMs: endMs - 45_000, endMs, newBytes: 310 * 1024, address: '192.0.2.18' },
    days: days((day) => ({ completed: day < 28 ? 1 : 0, failed: 0 })),
    dueMs: nowMs - hours * hourMs,
    isOverdue: true,
  });
}

export function storeStatus(name: string, more: Partial<StoreStatus> = {}): StoreStatus {
  return {
    name,
    isReachable: true,
    objects: 4127,
    bytes: 212 * gib,
    freeBytes: 1900 * gib,
    locks: 0,
    newestStateMs: nowMs - 7 * hourMs,
    addedBytes: Array.from({ length: 30 }, (_, day) => (1 + Math.sin(day / 3)) * gib),
    ...more,
  };
}

/** The status of a gateway on which nothing has happened. */
export function quietStatus(more: Partial<Status> = {}): Status {
  return {
    version: '1.2.3',
    instance: 'gateway-1',
    nowMs,
    startedMs: nowMs - 12 * dayMs,
    warnFreeBytes: 10 * gib,
    stores: [],
    machines: [],
    openSessions: [],
    sessions: [],
    refusals: [],
    traffic: Array.from({ length: 60 }, () => ({ requests: 0, received: 0, sent: 0 })),
    ...more,
  };
}

/** The status of a gateway with some of everything: two of nine machines are overdue, one failed, and one store can't be reached. */
export function busyStatus(): Status {
  const session = {
    address: '192.0.2.17',
    newObjects: 0,
    newBytes: 0,
    deletedObjects: 0,
    checkpoints: 0,
    readBytes: 0,
  };
  const ended = (minutes: number, ms: number) => ({
    startMs: nowMs - minutes * 60_000 - ms,
    endMs: nowMs - minutes * 60_000,
  });
  return quietStatus({
    stores: [
      storeStatus('teams/blue', { quotaBytes: 500 * gib, locks: 1, oldestLockMs: nowMs - 4 * 60_000 }),
      storeStatus('teams/red', {
        quotaBytes: 100 * gib,
        bytes: 97 * gib,
        freeBytes: 6.5 * gib,
        locks: 2,
        oldestLockMs: nowMs - 5 * hourMs,
      }),
      storeStatus('off-site', {
        isReachable: false,
        problem: 'the SSH server does not respond: connection timed out',
        addedBytes: Array.from({ length: 30 }, (_, day) => (day % 7 === 0 ? 40 * gib : 0)),
      }),
      { name: '', addedBytes: Array<number>(30).fill(0) },
    ],
    machines: [
      machineStatus('web-1', 'teams/blue'),
      machineStatus('web-2', 'teams/blue', {
        days: days((day) => ({ completed: day % 7 === 5 ? 0 : 1, failed: day % 9 === 4 ? 1 : 0 })),
      }),
      machineStatus('web-10', 'teams/blue'),
      machineStatus('db-1', 'teams/red', {
        days: days((day) => ({ completed: day === 29 ? 0 : 1, failed: day === 29 ? 2 : 0 })),
        lastFailure: { endMs: nowMs - 40 * 60_000, reason: 'the connection was lost' },
      }),
      overdueStatus('mail.example.org', 'teams/blue', 3),
      overdueStatus('laptop-7', 'off-site', 95),
      machineStatus('build-4', 'teams/red', { days: days((day) => ({ completed: day > 20 ? 3 : 0, failed: 0 })) }),
      machineStatus('archive', 'off-site', { days: days((day) => ({ completed: day % 7 === 0 ? 1 : 0, failed: 0 })) }),
      quietMachine('new-one', ''),
    ],
    openSessions: [
      {
        ...session,
        store: 'teams/blue',
        principal: 'web-2',
        kind: 'backup',
        startMs: nowMs - 25 * 60_000,
        lastMs: nowMs - 1000,
        newObjects: 211,
        newBytes: 9.4 * gib,
        checkpoints: 0,
        bytesPerSecond: 8.4e6,
      },
      {
        ...session,
        store: 'teams/red',
        principal: 'operator',
        kind: 'read',
        address: 'unix socket',
        startMs: nowMs - 90_000,
        lastMs: nowMs,
        readBytes: 734e6,
        bytesPerSecond: 31e6,
      },
    ],
    sessions: [
      {
        ...session,
        store: 'teams/red',
        principal: 'db-1',
        kind: 'backup',
        outcome: 'failed',
        reason: 'the connection was lost',
        ...ended(40, 12 * 60_000),
        newObjects: 12,
        newBytes: 0.7 * gib,
      },
      {
        ...session,
        store: 'teams/blue',
        principal: 'web-1',
        kind: 'backup',
        outcome: 'completed',
        ...ended(420, 12 * 60_000),
        newObjects: 41,
        newBytes: 1.25 * gib,
        checkpoints: 2,
      },
      {
        ...session,
        store: 'teams/blue',
        principal: 'operator',
        kind: 'maintenance',
        outcome: 'completed',
        ...ended(600, 95_000),
        newObjects: 3,
        newBytes: 80e6,
        deletedObjects: 1312,
      },
      {
        ...session,
        store: 'teams/blue',
        principal: 'operator',
        kind: 'removal',
        outcome: 'completed',
        ...ended(640, 700),
        newObjects: 1,
        newBytes: 900,
      },
    ],
    refusals: [
      {
        timeMs: nowMs - 120_000,
        store: 'teams/blue',
        principal: 'web-1',
        address: '192.0.2.17',
        operation: 'delete',
        code: 'permission_denied',
        reason: 'your access to this store is append, which allows no deletes',
      },
      {
        timeMs: nowMs - 5 * hourMs,
        store: '',
        principal: 'anonymous',
        address: '2001:db8::7',
        operation: 'login',
        code: 'unauthenticated',
        reason: 'wrong token, or wrong name or password',
      },
    ],
    traffic: Array.from({ length: 60 }, (_, minute) => ({
      requests: Math.round(300 + 250 * Math.sin(minute / 6)),
      received: minute > 30 ? 5e8 + 1e7 * minute : 0,
      sent: 4e7 * (minute % 10),
    })),
    certificateExpiresMs: nowMs + 9 * dayMs,
  });
}

/** A machine that has never backed up, and isn't expected to. */
function quietMachine(principal: string, store: string): MachineStatus {
  return { principal, store, days: days(() => ({ completed: 0, failed: 0 })), isOverdue: false };
}

/** The status of 200 machines, each of which backs up into 20 stores. */
export function largeStatus(): Status {
  const names = Array.from({ length: 20 }, (_, i) => `teams/store-${i}`);
  return quietStatus({
    stores: names.map((name) => storeStatus(name)),
    machines: names.flatMap((store, s) =>
      Array.from({ length: 200 }, (_, i) =>
        (i + s) % 50 === 0
          ? overdueStatus(`machine-${i}.example.org`, store, s + 1)
          : machineStatus(`machine-${i}.example.org`, store, {
              days: days((day) => ({ completed: (day + i) % 11 ? 1 : 0, failed: (day + s) % 13 ? 0 : 1 })),
            }),
      ),
    ),
  });
}
