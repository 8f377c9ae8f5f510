/** Reads what `cdk synth` wrote: the stacks' templates and where the file assets lie. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Asset } from '../platform.ts';
import { StorageError } from '../storage-errors.ts';

export interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
  Condition?: string;
}

export interface Template {
  Resources?: Record<string, TemplateResource>;
  Outputs?: Record<string, { Value: unknown; Export?: { Name: unknown } }>;
  Parameters?: Record<string, { Type: string; Default?: unknown }>;
  Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  Conditions?: Record<string, unknown>;
  Transform?: unknown;
}

export interface Assembly {
  stacks: { name: string; template: Template }[];
  /** By `<bucket>/<key>` of the place where `cdk deploy` would put them. */
  assets: Map<string, Asset>;
}

interface Manifest {
  artifacts?: Record<
    string,
    { type: string; properties?: { templateFile?: string; stackName?: string; file?: string } }
  >;
}

interface AssetManifest {
  files?: Record<
    string,
    {
      source: { path?: string; packaging?: 'zip' | 'file'; executable?: string[] };
      destinations: Record<string, { bucketName: string; objectKey: string }>;
    }
  >;
  dockerImages?: Record<string, unknown>;
}

function readJson<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    throw new StorageError(
      `${path} can't be read (${(error as Error).message}). Remove its directory: the next start writes it again.`,
      { cause: error },
    );
  }
}

/**
 * @param folder the assembly, usually `cdk.out`
 * @throws Error when there is no assembly, or when it holds what has no meaning on one machine
 */
export function readAssembly(folder: string, place: { accountId: string; region: string }): Assembly {
  const manifest = readJson<Manifest>(join(folder, 'manifest.json'));
  const assembly: Assembly = { stacks: [], assets: new Map() };
  const values: Record<string, string> = {
    AccountId: place.accountId,
    Region: place.region,
    Partition: 'aws',
  };
  const fill = (text: string) =>
    text.replace(/\$\{AWS::(\w+)\}/g, (all, name: string) => values[name] ?? all);
  for (const [id, { type, properties = {} }] of Object.entries(manifest.artifacts ?? {})) {
    if (type === 'cdk:cloud-assembly')
      throw new Error(`${folder}: the embedded cloud does not support the nested assembly ${id}`);
    if (type === 'aws:cloudformation:stack' && properties.templateFile) {
      const template = readJson<Template>(join(folder, properties.templateFile));
      assembly.stacks.push({ name: properties.stackName ?? id, template });
    }
    if (type === 'cdk:asset-manifest' && properties.file) {
      const assets = readJson<AssetManifest>(join(folder, properties.file));
      if (Object.keys(assets.dockerImages ?? {}).length > 0) {
        throw new Error(
          `${folder}/${properties.file}: the embedded cloud does not support container image assets`,
        );
      }
      for (const { source, destinations } of Object.values(assets.files ?? {})) {
        if (!source.path) continue;
        const asset: Asset = { path: resolve(folder, source.path), packaging: source.packaging ?? 'file' };
        for (const { bucketName, objectKey } of Object.values(destinations)) {
          assembly.assets.set(`${fill(bucketName)}/${fill(objectKey)}`, asset);
        }
      }
    }
  }
  return assembly;
}
