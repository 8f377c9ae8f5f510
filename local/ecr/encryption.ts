/** What a repository is encrypted with: by ECR's own key, or by one of KMS. Fixed when it is made. */
import { AwsError } from '../platform.ts';

export interface Encryption {
  encryptionType: 'AES256' | 'KMS' | 'KMS_DSSE';
  kmsKey?: string;
}

/** Of the account, for those who name none. */
const defaultKey = 'alias/aws/ecr';

/** Reads the members of the API or of a template. Throws `InvalidParameterException`. */
export function readEncryption(type: unknown, kmsKey: unknown): Encryption {
  if (kmsKey !== undefined && (typeof kmsKey !== 'string' || kmsKey.length < 1 || kmsKey.length > 2048))
    throw new AwsError(
      'InvalidParameterException',
      "Invalid parameter at 'kmsKey': must have 1 to 2048 characters",
    );
  switch (type ?? 'AES256') {
    case 'AES256':
      if (kmsKey === undefined) return { encryptionType: 'AES256' };
      throw new AwsError(
        'InvalidParameterException',
        "Invalid parameter at 'kmsKey': must not be specified for AES256",
      );
    case 'KMS':
      return { encryptionType: 'KMS', kmsKey: kmsKey ?? defaultKey };
    case 'KMS_DSSE':
      return { encryptionType: 'KMS_DSSE', kmsKey: kmsKey ?? defaultKey };
    default:
      throw new AwsError(
        'InvalidParameterException',
        "Invalid parameter at 'encryptionType': must be AES256, KMS or KMS_DSSE",
      );
  }
}

export const isSameEncryption = (one: Encryption, other: Encryption): boolean =>
  one.encryptionType === other.encryptionType && one.kmsKey === other.kmsKey;
