import { isMac } from '../../core/object.js';
import { noSuchPath, parsePath, pathOf } from './path.js';
import { findRoute, type Methods, type PathParams, type Routes } from './routes.js';

/** What a request is about. */
export interface Found {
  /** The store's name; empty for the default one. */
  readonly store: string;
  readonly methods: Methods;
  readonly params: PathParams;
}

/** A slash, and a MAC. */
const lastPartLength = 65;

/** How many folders of objects are remembered; some for each store. */
const maxFolders = 1000;

/**
 * Finds what requests are about. Almost all of them are about an object, and differ in its MAC alone, so what is in front of that
 * is looked up where the same text was parsed before.
 */
export class Router {
  private readonly folders = new Map<string, Found>();

  constructor(private readonly routes: Routes) {}

  /** @param target as in parsePath. Throws `not_found` where there is nothing, and what parsePath throws. */
  find(target: string): Found {
    const cut = target.length - lastPartLength;
    const folder = target.slice(0, cut);
    const known = cut > 0 ? this.folders.get(folder) : undefined;
    const mac = target.slice(cut + 1);
    if (known !== undefined && target[cut] === '/' && isMac(mac)) {
      return { store: known.store, methods: known.methods, params: { resource: known.params.resource, mac } };
    }
    const { store, api } = parsePath(target);
    const match = findRoute(this.routes, api);
    if (match === undefined) throw noSuchPath();
    const found = { store, ...match };
    // Only what was written just so: not with a query, or in another form.
    if (found.params.mac === mac && isMac(mac) && pathOf(target) === target) this.remember(folder, found);
    return found;
  }

  private remember(folder: string, found: Found): void {
    if (this.folders.size >= maxFolders) this.folders.clear();
    this.folders.set(folder, found);
  }
}
