/** Everything that can keep a person from capturing, as one kind of error with a code that the texts know. */

export const PROBLEMS = [
  'insecure_context', 'unsupported', 'blocked_by_page', 'denied', 'dismissed', 'no_camera', 'busy', 'camera_failed',
  'pictures_hidden', 'camera_lost', 'camera_paused', 'hidden', 'rotated', 'network', 'expired', 'finished',
  'no_plan_left', 'exclusion_refused', 'refused', 'server', 'not_set_up',
] as const;
export type ProblemCode = (typeof PROBLEMS)[number];

export class Problem extends Error {
  readonly code: ProblemCode;
  /** For developers; never shown to the person. */
  readonly detail: string;

  constructor(code: ProblemCode, detail = '') {
    super(detail ? `${code}: ${detail}` : code);
    this.name = 'Problem';
    this.code = code;
    this.detail = detail;
  }
}

/** Whether the same attempt can go on when the person tries again. */
export function canRetry(code: ProblemCode): boolean {
  return !['insecure_context', 'unsupported', 'blocked_by_page', 'expired', 'finished', 'no_plan_left', 'not_set_up']
    .includes(code);
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('camera_failed', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
