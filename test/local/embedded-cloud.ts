/** An embedded cloud on free ports with its own home, from hand-written resources. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Credentials } from '../../local/iam/credentials.ts';
import type { Roles } from '../../local/iam/roles.ts';
import { type RunningCloud, type StartOptions, startCloud } from '../../local/start.ts';
import { type Fixture, temporaryFolder, writeAssembly } from './assembly.ts';

export interface EmbeddedCloud extends RunningCloud {
  home: string;
  printed: string[];
  /** SDK client settings that sign as the account's root. */
  client: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** SDK client settings that sign as a role, without anybody having been asked. */
  clientOf(roleName: string, lifetimeSeconds?: number): EmbeddedCloud['client'];
  /** Ends it and starts another on the same home, with other resources if they are given. */
  restart(changed?: Fixture): Promise<EmbeddedCloud>;
  remove(): Promise<void>;
}

type Options = Partial<Pick<StartOptions, 'dynamodb' | 'lambda' | 'port'>>;

/** Credentials of a role in this home, as a service would have been given them. */
export function roleCredentials(home: string, roleName: string, lifetimeSeconds = 3600) {
  const db = new DatabaseSync(join(home, 'cloud.db'));
  try {
    // Only `issue` asks the roles, and this doesn't.
    const credentials = new Credentials({ db, now: () => new Date() }, {} as Roles);
    return credentials.issueSession(`arn:aws:iam::000000000000:role/${roleName}`, 'test', lifetimeSeconds);
  } finally {
    db.close();
  }
}

export async function startEmbeddedCloud(fixture: Fixture, options: Options = {}): Promise<EmbeddedCloud> {
  const folder = temporaryFolder();
  const assembly = join(folder.path, 'cdk.out');
  mkdirSync(assembly);
  writeAssembly(assembly, fixture);
  const home = join(folder.path, 'home');
  const start = async (): Promise<EmbeddedCloud> => {
    const printed: string[] = [];
    const running = await startCloud({
      home,
      prepare: () => ({ assembly }),
      print: (line) => printed.push(line),
      ...options,
    });
    const place = { endpoint: running.endpointUrl, region: running.region };
    return {
      ...running,
      home,
      printed,
      // The SDK writes into what it is given.
      client: { ...place, credentials: { ...running.credentials } },
      clientOf: (roleName, lifetimeSeconds) => ({
        ...place,
        credentials: roleCredentials(home, roleName, lifetimeSeconds),
      }),
      async restart(changed) {
        await running.stop();
        if (changed) writeAssembly(assembly, changed);
        return start();
      },
      async remove() {
        await running.stop();
        folder.remove();
      },
    };
  };
  try {
    return await start();
  } catch (error) {
    folder.remove();
    throw error;
  }
}
