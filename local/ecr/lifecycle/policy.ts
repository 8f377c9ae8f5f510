/** What ECR takes as a lifecycle policy. */
import * as z from 'zod';
import { AwsError } from '../../platform.ts';

/** In a pattern each `*` stands for any characters; a prefix has none. */
const tagList = (wildcards: number) =>
  z
    .array(
      z
        .string()
        .regex(/^[0-9a-zA-Z._*-]{1,128}$/)
        .refine((one) => one.split('*').length - 1 <= wildcards, `has more than ${wildcards} wildcards`),
    )
    .min(1);

const selectionSchema = z
  .strictObject({
    tagStatus: z.enum(['tagged', 'untagged', 'any']),
    tagPatternList: tagList(4).optional(),
    tagPrefixList: tagList(0).optional(),
    countType: z.enum(['imageCountMoreThan', 'sinceImagePushed']),
    countUnit: z.literal('days').optional(),
    countNumber: z.int().positive(),
  })
  .superRefine(({ tagStatus, tagPatternList, tagPrefixList, countType, countUnit }, context) => {
    const lists = [tagPatternList, tagPrefixList].filter((list) => list !== undefined).length;
    if (lists !== (tagStatus === 'tagged' ? 1 : 0))
      context.addIssue(
        'a tagStatus of tagged requires either tagPatternList or tagPrefixList, and no other tagStatus allows them',
      );
    if ((countUnit !== undefined) !== (countType === 'sinceImagePushed'))
      context.addIssue(
        'a countType of sinceImagePushed requires countUnit, and no other countType allows it',
      );
  });

const policySchema = z
  .strictObject({
    rules: z
      .array(
        z.strictObject({
          rulePriority: z.int().positive(),
          description: z.string().max(256).optional(),
          selection: selectionSchema,
          action: z.strictObject({ type: z.literal('expire') }),
        }),
      )
      .min(1)
      .max(50),
  })
  .superRefine(({ rules }, context) => {
    const priorities = rules.map(({ rulePriority }) => rulePriority);
    if (new Set(priorities).size < rules.length) context.addIssue('two rules have the same rulePriority');
    for (const status of ['untagged', 'any'] as const) {
      const found = rules.filter(({ selection }) => selection.tagStatus === status);
      if (found.length > 1) context.addIssue(`only one rule may have the tagStatus ${status}`);
      if (status === 'any' && found.some(({ rulePriority }) => rulePriority < Math.max(...priorities)))
        context.addIssue('the rule with the tagStatus any must have the highest rulePriority');
    }
  });

/** Of 100 to 30,720 characters. Storage classes aren't known here. Throws `InvalidParameterException`. */
export function checkLifecyclePolicy(text: string): void {
  if (text.length < 100 || text.length > 30_720)
    throw refusal('the policy must have 100 to 30720 characters');
  const { error } = policySchema.safeParse(parsed(text));
  const [issue] = error?.issues ?? [];
  if (issue) throw refusal(`${issue.path.join('.')}: ${issue.message}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('the policy is not valid JSON');
  }
}

const refusal = (why: string) =>
  new AwsError(
    'InvalidParameterException',
    `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ${why}'`,
  );
