/** The declared tables, made or brought up to date in the engine. */
import { AwsError, type Cloud, type DeclaredResource, type ResourceType } from '../platform.ts';
import { generatedName } from '../template/names.ts';
import type { DynamoEngine } from './engine.ts';

interface KeyPart {
  AttributeName: string;
  KeyType: 'HASH' | 'RANGE';
}

interface Index {
  IndexName: string;
  KeySchema: KeyPart[];
  Projection: object;
}

interface TableDescription {
  KeySchema: KeyPart[];
  GlobalSecondaryIndexes?: (Index & { IndexStatus?: string })[];
}

export const tableArn = (cloud: Pick<Cloud, 'region' | 'accountId'>, name: string): string =>
  `arn:aws:dynamodb:${cloud.region}:${cloud.accountId}:table/${name}`;

const table: ResourceType = {
  physicalId: (declared) => declared.properties.TableName ?? generatedName(declared, 255),
  attributes: ({ physicalId }, cloud) => ({ Arn: tableArn(cloud, physicalId) }),
};

export const tableTypes: Record<string, ResourceType> = {
  'AWS::DynamoDB::Table': table,
  'AWS::DynamoDB::GlobalTable': table,
};

async function describe(engine: DynamoEngine, name: string): Promise<TableDescription | undefined> {
  try {
    return (await engine.ask('DescribeTable', { TableName: name })).Table as TableDescription;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

const shape = (keys: KeyPart[]) =>
  keys.map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`).join();

async function update(
  engine: DynamoEngine,
  resource: DeclaredResource,
  existing: TableDescription,
): Promise<void> {
  const { properties, physicalId, logicalId, stack } = resource;
  if (shape(existing.KeySchema) !== shape(properties.KeySchema)) {
    throw new Error(
      `${stack}/${logicalId}: a table's key can't change; remove the state directory to start empty`,
    );
  }
  const declared: Index[] = properties.GlobalSecondaryIndexes ?? [];
  const present = existing.GlobalSecondaryIndexes ?? [];
  const same = (a: Index, b: Index) =>
    a.IndexName === b.IndexName && shape(a.KeySchema) === shape(b.KeySchema);
  const change = async (one: object) => {
    await engine.ask('UpdateTable', {
      TableName: physicalId,
      AttributeDefinitions: properties.AttributeDefinitions,
      GlobalSecondaryIndexUpdates: [one],
    });
  };
  for (const old of present.filter((one) => !declared.some((wanted) => same(one, wanted)))) {
    await change({ Delete: { IndexName: old.IndexName } });
  }
  for (const wanted of declared.filter((one) => !present.some((old) => same(one, old)))) {
    const { IndexName, KeySchema, Projection } = wanted;
    await change({ Create: { IndexName, KeySchema, Projection } });
  }
}

async function create(engine: DynamoEngine, { properties, physicalId }: DeclaredResource): Promise<void> {
  const bare = (indexes: Index[] | undefined) =>
    indexes?.map(({ IndexName, KeySchema, Projection }) => ({ IndexName, KeySchema, Projection }));
  await engine.ask('CreateTable', {
    TableName: physicalId,
    KeySchema: properties.KeySchema,
    AttributeDefinitions: properties.AttributeDefinitions,
    BillingMode: 'PAY_PER_REQUEST',
    GlobalSecondaryIndexes: bare(properties.GlobalSecondaryIndexes),
    LocalSecondaryIndexes: bare(properties.LocalSecondaryIndexes),
  });
  const timeToLive = properties.TimeToLiveSpecification;
  if (!timeToLive?.Enabled) return;
  const { AttributeName } = timeToLive;
  await engine.ask('UpdateTimeToLive', {
    TableName: physicalId,
    TimeToLiveSpecification: { AttributeName, Enabled: true },
  });
}

/** Idempotent: makes what is missing, adds and removes indexes, refuses another key. */
export async function deployTables(engine: DynamoEngine, resources: DeclaredResource[]): Promise<void> {
  for (const resource of resources.filter(({ type }) => type in tableTypes)) {
    const existing = await describe(engine, resource.physicalId);
    if (existing) await update(engine, resource, existing);
    else await create(engine, resource);
  }
}

/** Key attributes, partition key first: the table's and those of its indexes. */
export interface TableKeys {
  keys: string[];
  globalIndexes: Map<string, string[]>;
  localIndexes: Map<string, string[]>;
}

/** By table name. */
export function readKeys(resources: DeclaredResource[]): Map<string, TableKeys> {
  const attributes = (parts: KeyPart[]) =>
    [...parts].sort((a, b) => (a.KeyType < b.KeyType ? -1 : 1)).map(({ AttributeName }) => AttributeName);
  const byName = (indexes: Index[] = []) =>
    new Map(indexes.map(({ IndexName, KeySchema }) => [IndexName, attributes(KeySchema)]));
  const tables = resources.filter(({ type }) => type in tableTypes);
  return new Map(
    tables.map(({ physicalId, properties }) => [
      physicalId,
      {
        keys: attributes(properties.KeySchema),
        globalIndexes: byName(properties.GlobalSecondaryIndexes),
        localIndexes: byName(properties.LocalSecondaryIndexes),
      },
    ]),
  );
}
