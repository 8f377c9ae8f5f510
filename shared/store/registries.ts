/** Registry records, and the defaults beside them. */
import type { Registry, RegistryType } from '../model/registry.ts';
import { defaultRegistries } from '../registry/defaults.ts';
import { formatRegistryUrl, parseRegistryUrl, type RegistryUrl } from '../registry/url.ts';
import type { Item, Table, Write } from './table.ts';

export interface RegistryRecord extends Item, RegistryUrl {
  id: string;
  title: string;
  type: RegistryType;
  visibility: 'public' | 'private';
  /** Of the account in the secret. */
  username?: string;
  /** Full ARN of `{"username","password"}`; absent where the registry takes everybody, or this account's own role. */
  secretArn?: string;
  createdAt: string;
  createdBy: string;
  updatedAt: string;
  version: number;
  /** Set while the secret is being written: record and secret change together or the next request finishes it. */
  changing?: { by: string; at: string };
  /** Set when its removal has begun: no image comes to refer to it any more. */
  removing?: true;
}

/** A registry as Slipway works with it: a default, or a stored one with its secret. */
export interface KnownRegistry extends RegistryUrl {
  registry: Registry;
  version: number;
  secretArn?: string;
  /** On its way out. */
  removing?: true;
}

export interface RegistryStore {
  /** Defaults and stored ones. */
  all(organisation: string): Promise<KnownRegistry[]>;
  get(organisation: string, id: string): Promise<KnownRegistry | undefined>;
}

/** `ecrRegistry` is the host of the deployment's own ECR, `privateHosts` the stage's `privateRegistries`. */
export function createRegistryStore(
  table: Table,
  ecrRegistry: string,
  privateHosts: readonly string[],
): RegistryStore {
  const defaults = (organisation: string): KnownRegistry[] =>
    defaultRegistries(organisation, ecrRegistry).map((registry) => ({
      ...parseRegistryUrl(registry.url, privateHosts),
      registry,
      version: 0,
    }));
  return {
    async all(organisation) {
      const stored = (await table.all(organisation, 'registries')) as RegistryRecord[];
      return [...defaults(organisation), ...stored.map(toKnown)];
    },
    async get(organisation, id) {
      const found = defaults(organisation).find((one) => one.registry.id === id);
      if (found) return found;
      const record = await getRegistryRecord(table, organisation, id);
      return record && toKnown(record);
    },
  };
}

export async function getRegistryRecord(
  table: Table,
  organisation: string,
  id: string,
): Promise<RegistryRecord | undefined> {
  return (await table.get(organisation, 'registries', id)) as RegistryRecord | undefined;
}

/** Has a transaction refused where the registry was disconnected since, or is about to be; with `at`, also where it lies elsewhere now. */
export const stillConnected = (
  table: Table,
  organisation: string,
  id: string,
  at?: Pick<RegistryUrl, 'host' | 'path'>,
): Write => ({
  ConditionCheck: {
    TableName: table.name,
    Key: table.key(organisation, 'registries', id),
    ConditionExpression: `attribute_exists(pk) AND attribute_not_exists(removing)${at ? ' AND #host = :host AND #path = :path' : ''}`,
    ...(at
      ? {
          ExpressionAttributeNames: { '#host': 'host', '#path': 'path' },
          ExpressionAttributeValues: { ':host': at.host, ':path': at.path },
        }
      : {}),
  },
});

const toKnown = (record: RegistryRecord): KnownRegistry => ({
  host: record.host,
  path: record.path,
  insecure: record.insecure,
  registry: toRegistry(record),
  version: record.version,
  ...(record.secretArn ? { secretArn: record.secretArn } : {}),
  ...(record.removing ? { removing: record.removing } : {}),
});

export const toRegistry = (record: RegistryRecord): Registry => ({
  id: record.id,
  title: record.title,
  url: formatRegistryUrl(record),
  type: record.type,
  visibility: record.visibility,
  ...(record.secretArn && record.username ? { username: record.username } : {}),
  hasCredentials: record.secretArn !== undefined,
  isDefault: false,
  createdAt: record.createdAt,
  createdBy: record.createdBy,
  updatedAt: record.updatedAt,
});

/**
 * The registry that a repository belongs to: same host, and the longest path that the repository lies below. Among
 * equals a connected one comes before a default, and one with credentials first.
 */
export function registryFor(
  all: KnownRegistry[],
  host: string,
  repository: string,
): KnownRegistry | undefined {
  const rank = (one: KnownRegistry) =>
    one.path.length * 4 + (one.registry.isDefault ? 0 : 1) + (one.registry.hasCredentials ? 2 : 0);
  return all
    .filter((one) => one.host === host && (one.path === '' || `${repository}/`.startsWith(`${one.path}/`)))
    .sort((a, b) => rank(b) - rank(a) || (a.registry.id < b.registry.id ? -1 : 1))[0];
}
