/** Which language a person reads, and the text of a key in it. */

import {ar} from './ar.ts';
import {de} from './de.ts';
import {en} from './en.ts';

export type Texts = typeof en;
export type TextKey = Exclude<keyof Texts, 'guidance'>;

const LANGUAGES: Record<string, Texts> = {ar, de, en};
const RIGHT_TO_LEFT = ['ar', 'dv', 'fa', 'he', 'ku', 'ps', 'sd', 'ug', 'ur', 'yi'];

/** Adds a language, or replaces texts of one. What is missing is shown in English. */
export function addTexts(language: string, texts: Partial<Texts>): void {
  const before = LANGUAGES[language] ?? en;
  LANGUAGES[language] = {...before, ...texts, guidance: {...before.guidance, ...texts.guidance}};
}

export function languages(): string[] {
  return Object.keys(LANGUAGES).sort();
}

/** The first of the wished languages that there is. */
export function chooseLanguage(wishes: readonly (string | null | undefined)[]): string {
  for (const wish of wishes) {
    const lower = wish?.toLowerCase() ?? '';
    const found = [lower, lower.split('-')[0] ?? ''].find((name) => name && name in LANGUAGES);
    if (found) return found;
  }
  return 'en';
}

export function isRightToLeft(language: string): boolean {
  return RIGHT_TO_LEFT.includes(language.split('-')[0] ?? '');
}

/** Texts of one language, with `{name}` filled in. */
export class Speaker {
  readonly language: string;
  readonly #texts: Texts;
  readonly #changes: Partial<Texts>;

  constructor(language: string, changes: Partial<Texts> = {}) {
    this.language = language;
    this.#texts = LANGUAGES[language] ?? en;
    this.#changes = changes;
  }

  say(key: TextKey, values: Record<string, string | number> = {}): string {
    const text = this.#changes[key] ?? this.#texts[key];
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return typeof value === 'number' ? value.toLocaleString(this.language) : value ?? whole;
    });
  }

  /** The text of a guidance code; null for one that is not known here. */
  guidance(code: string): string | null {
    const of = (texts: Partial<Texts>): string | undefined => (texts.guidance as Record<string, string> | undefined)?.[code];
    return of(this.#changes) ?? of(this.#texts) ?? of(en) ?? null;
  }
}
