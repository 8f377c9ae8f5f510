/** Bundles every function and the builder in one esbuild call, into folders that the stacks take as assets. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import type { Stage } from '../shared/model/stage.ts';
import { functionDeclarations } from './functions/index.ts';
import { SynthError } from './synth-error.ts';

const projectRoot = join(import.meta.dirname, '..');
const builderEntry = 'builder/main.ts';
const functionNames = functionDeclarations.map(({ name }) => name);

/**
 * Leaves zod's JSON Schema generator out, which every schema refers to and which only the OpenAPI script calls: a
 * fifth of zod. Called all the same, it fails by name.
 */
const withoutJsonSchema: Plugin = {
  name: 'without-json-schema',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/core\/(to-json-schema|json-schema-processors)\.js$/ }, ({ path }) => {
      const names = [...readFileSync(path, 'utf8').matchAll(/^export (?:const|function) (\w+)/gm)];
      const refuse = "const refuse=()=>{throw new Error('JSON Schema generation is not bundled')};";
      return { contents: `${refuse}${names.map(([, name]) => `export const ${name}=()=>refuse;`).join('')}` };
    });
  },
};

/**
 * Leaves out of zod what requests have no use for, a seventh of it: the methods for formats of `z.string()`, which zod
 * has deprecated for `z.email()` and its like, with the twenty formats that nobody names; the methods of codecs, which
 * go from and to what a schema answers; and the memory of objects met before, for data that goes round in circles,
 * which JSON can't.
 */
const withoutUnusedZod: Plugin = {
  name: 'without-unused-zod',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/classic\/schemas\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replace(
          /^ {4}(?:async )?(?:(?:en|de|safeEn|safeDe)code|validate)(?:Async)?(?:\(|: ).*?^ {4}\},\n/gms,
          '',
        )
        .replace(/(constructor\("ZodString", \(inst, def\) => \{[^}]*\}), \{.*?^\}\);$/ms, '$1);')
        .replace('core.config({ memoizer: core.memoizer() })', 'undefined'),
    }));
  },
};

/**
 * Leaves out what only the OpenAPI document needs: the documentation of operations and of fields, and with it the
 * schemas of answers. What can't be reached is dropped; that making a lazy schema has no other effect, esbuild has to be told.
 */
const withoutDocumentation: Plugin = {
  name: 'without-documentation',
  setup({ onLoad }) {
    onLoad({ filter: /(shared\/model\/[\w-]+|functions\/.*contract)\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8')
        .replaceAll('documentation: documented(', 'documentation: undefined && (')
        .replaceAll('= z.lazy(', '= /* @__PURE__ */ z.lazy(')
        .replace(/\s*\.meta\(\{[^{}]*\}\)/g, ''),
    }));
  },
};

/** Leaves out zod's own messages: `wording` has those of all that functions are asked. */
const withoutMessages: Plugin = {
  name: 'without-messages',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/en\.js$/ }, () => ({ contents: 'export default () => ({})' }));
  },
};

/** Leaves out what makes links of bare addresses: markdown-it loads it even where that is switched off. */
const withoutBareLinks: Plugin = {
  name: 'without-bare-links',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/linkify-it\// }, () => ({ contents: 'export class LinkifyIt {}' }));
  },
};

/** How esbuild makes every bundle; the benchmark of their size bundles what it compares them with the same way. */
export const bundleOptions = {
  bundle: true,
  minify: true,
  // Errors set their names themselves; keeping all others costs a cold start 6 % of its code.
  sourcemap: false,
  legalComments: 'none',
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  plugins: [withoutJsonSchema, withoutUnusedZod, withoutDocumentation, withoutMessages, withoutBareLinks],
  // Bundled CommonJS packages still call require() for Node's own modules.
  banner: {
    js: "import{createRequire as slipwayCreateRequire}from'node:module';const require=slipwayCreateRequire(import.meta.url);",
  },
} satisfies BuildOptions;

/** Folders with the bundles; gone when the process ends, since CDK has copied them into its output by then. */
export interface Bundles {
  /** Folder of a function: `index.mjs` with the stage configuration beside it. */
  functionFolder(name: string): string;
  /** Folder with `builder.mjs`. */
  builderFolder: string;
}

/** A function that the stacks declare has no code. */
export class MissingEntryError extends SynthError {
  constructor(entries: string[]) {
    super(
      `Nothing to bundle at ${entries.join(', ')}. Each function in infra/functions/ needs functions/<name>/handler.ts, and builds need ${builderEntry}: write the entry, or remove the declaration.`,
    );
  }
}

/**
 * Bundles for one stage.
 * @throws MissingEntryError when a declared function has no entry; esbuild's own error when the code doesn't bundle
 */
export async function bundleAll(stage: Stage, root = projectRoot): Promise<Bundles> {
  const entries = new Map([
    ...functionNames.map((name) => [`functions/${name}/index`, `functions/${name}/handler.ts`] as const),
    ['builder/builder', builderEntry] as const,
  ]);
  const missing = [...entries.values()].filter((entry) => !existsSync(join(root, entry)));
  if (missing.length > 0) throw new MissingEntryError(missing);

  const folder = mkdtempSync(join(tmpdir(), 'slipway-bundles-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries([...entries].map(([out, entry]) => [out, join(root, entry)])),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    ...bundleOptions,
    // The error that is thrown has it all.
    logLevel: 'silent',
    // An import that nothing exports would only fail when the function first runs.
    logOverride: { 'import-is-undefined': 'error' },
  });
  const configuration = JSON.stringify(stage);
  for (const name of functionNames)
    writeFileSync(join(folder, 'functions', name, 'stage.json'), configuration);
  const document = readFileSync(join(root, 'functions/public/openapi.json'), 'utf8');
  writeFileSync(join(folder, 'functions/public/openapi.json'), JSON.stringify(JSON.parse(document)));
  return {
    functionFolder: (name) => join(folder, 'functions', name),
    builderFolder: join(folder, 'builder'),
  };
}
