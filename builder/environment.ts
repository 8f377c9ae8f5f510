/** Environment variables of a build. Set by the project or by StartBuild, never by a user. */
export interface Environment {
  ARTIFACTS_BUCKET: string;
  /** Key of the build's spec. */
  SLIPWAY_SPEC: string;
  BUILDER_CACHE_MODE: 'registry' | 'inline';
  BUILDER_HOST: 'dedicated' | 'shared';
  CODEBUILD_BUILD_ID: string;
  CODEBUILD_BUILD_SUCCEEDING: '0' | '1';
}

const allowed: { [K in keyof Environment]: RegExp } = {
  ARTIFACTS_BUCKET: /./,
  SLIPWAY_SPEC: /./,
  BUILDER_CACHE_MODE: /^(registry|inline)$/,
  BUILDER_HOST: /^(dedicated|shared)$/,
  CODEBUILD_BUILD_ID: /./,
  CODEBUILD_BUILD_SUCCEEDING: /^[01]$/,
};

/** Throws an error that names what is missing or wrong. By hand, since every phase is a process that waits for this. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const given: Record<string, string | undefined> = { CODEBUILD_BUILD_SUCCEEDING: '1', ...env };
  const wrong = Object.entries(allowed).filter(([name, form]) => !form.test(given[name] ?? ''));
  if (wrong.length > 0) throw new Error(`environment: ${wrong.map(([name]) => name).join(', ')}`);
  return Object.fromEntries(
    Object.keys(allowed).map((name) => [name, given[name]]),
  ) as unknown as Environment;
}
