/** Access to what does the work: CodeBuild, Batch, Step Functions, SES, and the roles that work runs with. */
import type { OrganisationRole } from '../names.ts';
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';

/** CodeBuild authorises every build action on the build's project. */
export function builds({ arn, names }: Deployment, actions: string[]): Access {
  return { actions, resources: [arn('codebuild', `project/${names.buildProject}`)] };
}

/** Read any job's state. */
export const describeJobs: Access = {
  actions: ['batch:DescribeJobs'],
  resources: ['*'],
  wildcard: 'DescribeJobs has no resource.',
};

/** Read any job's state, and find one by its name. */
export const findJobs: Access = {
  actions: ['batch:DescribeJobs', 'batch:ListJobs'],
  resources: ['*'],
  wildcard: 'DescribeJobs and ListJobs have no resource.',
};

export function terminateJobs({ arn }: Pick<Deployment, 'arn'>): Access {
  return {
    actions: ['batch:TerminateJob'],
    resources: [arn('batch', 'job/*')],
    wildcard: 'A job is named by the id that Batch gives it at submission.',
  };
}

/** Hand exactly the organisations' roles of some kinds to what takes them: one service, or any of its names. */
export function passRoles(
  { roleArn, names, stage }: Deployment,
  kinds: OrganisationRole[],
  services: string[],
): Access {
  return {
    actions: ['iam:PassRole'],
    resources: stage.organisations.flatMap(({ id }) => kinds.map((kind) => roleArn(names.role(id, kind)))),
    conditions: { StringEquals: { 'iam:PassedToService': services } },
  };
}

export function stateMachineArn({ arn, names }: Deployment): string {
  return arn('states', `stateMachine:${names.stateMachine}`);
}

export function executions({ arn, names }: Deployment, actions: string[]): Access {
  return {
    actions,
    resources: [arn('states', `execution:${names.stateMachine}:*`)],
    wildcard: "An execution is named after its experiment; these are this state machine's own.",
  };
}

/**
 * Send from the configured address, by whichever identity SES goes: the address, its domain, and in the sandbox those
 * of the recipients too.
 */
export function sendMail({ arn, names, stage }: Deployment): Access {
  const isOurs = stage.mailIdentity === 'create';
  return {
    actions: ['ses:SendEmail'],
    resources: [arn('ses', 'identity/*'), arn('ses', `configuration-set/${isOurs ? names.prefix : '*'}`)],
    conditions: { StringEquals: { 'ses:FromAddress': stage.mailFrom } },
    wildcard:
      "In SES's sandbox every recipient's identity is asked too; an existing identity may have any configuration set. The sender is fixed.",
  };
}
