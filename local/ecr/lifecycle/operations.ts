/** Lifecycle policies of repositories: checked and kept. Nothing expires by them here. */
import { AwsError, type Cloud, type JsonCall } from '../../platform.ts';
import { RequestMembers } from '../../request-members.ts';
import { repositoryArn, requireRepository } from '../repositories.ts';
import type { EcrStore } from '../store.ts';
import { checkLifecyclePolicy } from './policy.ts';

export function lifecycleOperations(cloud: Cloud, store: EcrStore) {
  cloud.db.exec(
    'CREATE TABLE IF NOT EXISTS ecr_lifecycle_policies (repository TEXT PRIMARY KEY REFERENCES ecr_repositories ON DELETE CASCADE, policy TEXT NOT NULL) STRICT',
  );
  const read = (call: JsonCall, action: string) => {
    const input = new RequestMembers(call.input, 'InvalidParameterException');
    const name = input.string('repositoryName', { min: 2, max: 256 });
    call.authorize(`ecr:${action}`, repositoryArn(cloud, name));
    return { input, name: requireRepository(cloud, store, name).name };
  };
  const answer = (repositoryName: string, lifecyclePolicyText: string) => ({
    registryId: cloud.accountId,
    repositoryName,
    lifecyclePolicyText,
  });
  return {
    PutLifecyclePolicy(call: JsonCall) {
      const { input, name } = read(call, 'PutLifecyclePolicy');
      const policy = input.string('lifecyclePolicyText');
      checkLifecyclePolicy(policy);
      cloud.db
        .prepare(
          'INSERT INTO ecr_lifecycle_policies VALUES (?, ?) ON CONFLICT DO UPDATE SET policy = excluded.policy',
        )
        .run(name, policy);
      return answer(name, policy);
    },

    /** Without `lastEvaluatedAt`: it never was. */
    GetLifecyclePolicy(call: JsonCall) {
      const { name } = read(call, 'GetLifecyclePolicy');
      const found = cloud.db
        .prepare('SELECT policy FROM ecr_lifecycle_policies WHERE repository = ?')
        .get(name);
      if (!found)
        throw new AwsError(
          'LifecyclePolicyNotFoundException',
          `Lifecycle policy does not exist for the repository with name '${name}' in the registry with id '${cloud.accountId}'`,
        );
      return answer(name, String(found.policy));
    },
  };
}
