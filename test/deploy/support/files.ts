import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Where a file of deploy/ is. */
export function deployPath(name: string): string {
  return fileURLToPath(new URL(`../../../deploy/${name}`, import.meta.url));
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { query: string } }[];
  };
}

export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(deployPath('grafana/kloset-gateway.json'), 'utf8')) as Dashboard;
}

/** The names of metrics in a query, without those that rules record. */
export function metricsIn(query: string): string[] {
  return query.match(/\b(kloset_gateway|nodejs|process)_\w+/g) ?? [];
}
