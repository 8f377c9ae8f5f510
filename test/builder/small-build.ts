/** The smallest build that there is, and its host: a test says only what it is about. */
import { type Environment, readEnvironment } from '../../builder/environment.ts';
import type { BuildSpec } from '../../shared/model/build-spec.ts';

/** `host` is the registry's that it is pushed to. */
export const smallBuild = (host: string, more: Partial<BuildSpec> = {}): BuildSpec => ({
  version: 1,
  kind: 'build',
  organisation: 'acme',
  buildId: 'bld_1',
  dockerfile: 'FROM scratch\n',
  buildArgs: {},
  bases: {},
  secrets: [],
  registries: [],
  target: `${host}/acme/x:1`,
  privateRegistries: ['127.0.0.1'],
  cache: `${host}/acme/x:slipway-cache`,
  resultKey: 'acme/builds/bld_1/result.json',
  ...more,
});

/** What CodeBuild tells the builder on a host that is somebody's. */
export const environmentWith = (BUILDER_CACHE_MODE: Environment['BUILDER_CACHE_MODE']): Environment =>
  readEnvironment({
    CODEBUILD_BUILD_ID: 'x:1',
    SLIPWAY_SPEC: 'acme/builds/bld_1/spec.json',
    ARTIFACTS_BUCKET: 'artifacts',
    BUILDER_CACHE_MODE,
    BUILDER_HOST: 'shared',
  });
