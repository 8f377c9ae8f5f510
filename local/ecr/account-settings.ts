/** ECR's settings of an account, of which blob mounting is the one that is carried out here. */
import type { DatabaseSync } from 'node:sqlite';
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';

const blobMounting = 'BLOB_MOUNTING';
const values = ['ENABLED', 'DISABLED'];
/** Of scans and policies, which have no other value here than the one that they have. */
const others = ['BASIC_SCAN_TYPE_VERSION', 'REGISTRY_POLICY_SCOPE'];

export interface AccountSettings {
  /** Whether a layer may be taken over from another repository of the account. Off until somebody turns it on. */
  mountsBlobs(): boolean;
  operations: Record<string, (call: JsonCall) => object>;
}

export function createAccountSettings(db: DatabaseSync): AccountSettings {
  db.exec(
    'CREATE TABLE IF NOT EXISTS ecr_account_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT',
  );
  const current = (name: string): string =>
    String(
      db.prepare('SELECT value FROM ecr_account_settings WHERE name = ?').get(name)?.value ?? 'DISABLED',
    );
  const nameIn = (input: RequestMembers): string => {
    const name = input.string('name', { max: 64 });
    if (others.includes(name))
      throw new AwsError(
        'UnsupportedOperation',
        `The embedded cloud does not implement the account setting ${name}`,
      );
    if (name !== blobMounting)
      throw new AwsError(
        'InvalidParameterException',
        `Invalid parameter at 'name': '${name}' is not an account setting`,
      );
    return name;
  };
  return {
    mountsBlobs: () => current(blobMounting) === 'ENABLED',
    operations: {
      GetAccountSetting(call) {
        call.authorize('ecr:GetAccountSetting', '*');
        const name = nameIn(new RequestMembers(call.input, 'InvalidParameterException'));
        return { name, value: current(name) };
      },
      PutAccountSetting(call) {
        call.authorize('ecr:PutAccountSetting', '*');
        const input = new RequestMembers(call.input, 'InvalidParameterException');
        const name = nameIn(input);
        const value = input.string('value', { max: 64 });
        if (!values.includes(value))
          throw new AwsError(
            'InvalidParameterException',
            `Invalid parameter at 'value': ${name} must be ${values.join(' or ')}`,
          );
        db.prepare('INSERT OR REPLACE INTO ecr_account_settings VALUES (?, ?)').run(name, value);
        return { name, value };
      },
    },
  };
}
