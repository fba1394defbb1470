import health from '../../node_modules/grpc-health-check/proto/health/v1/health.proto';
import reflection from '../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto';
import reflectionAlpha from '../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto';
import { fromJSON, type Options, type PackageDefinition } from '@grpc/proto-loader';
import { parse, Root, type IParseOptions } from 'protobufjs';
import kloset from '../../proto/kloset/store/v1/store.proto';
import plakar from '../../proto/plakar/store.proto';

/* Stands in for @grpc/proto-loader in the single executable, which has no files that could be loaded: their texts are bundled. */

const sources: Readonly<Record<string, string>> = {
  'health/v1/health.proto': health,
  'grpc/reflection/v1/reflection.proto': reflection,
  'grpc/reflection/v1alpha/reflection.proto': reflectionAlpha,
  'kloset/store/v1/store.proto': kloset,
  'plakar/store.proto': plakar,
};

/** Like the original. Of the paths, only the end counts, as the folders of packages are unknown. None of the files imports another one. */
export function loadSync(paths: string | readonly string[], options: Options & IParseOptions): PackageDefinition {
  const root = new Root();
  for (const path of [paths].flat()) {
    const name = Object.keys(sources).find((each) => path.endsWith(each));
    if (name === undefined) throw new Error(`${path} is not part of the single executable: see scripts/build-binary`);
    parse(sources[name] ?? '', root, options);
  }
  return fromJSON(root.toJSON(), options);
}
