/** What a role may do, said in one form everywhere, so that each wildcard stands beside its reason. */
import { type Conditions, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** One allowance. */
export interface Access {
  actions: string[];
  /** ARNs; may hold tokens and, with `wildcard`, `*`. */
  resources: string[];
  conditions?: Conditions;
  /** Why a resource has to be a pattern. Required where one is, refused where none is. */
  wildcard?: string;
}

export function statementOf(access: Access): PolicyStatement {
  return new PolicyStatement({
    actions: access.actions,
    resources: access.resources,
    ...(access.conditions ? { conditions: access.conditions } : {}),
  });
}
