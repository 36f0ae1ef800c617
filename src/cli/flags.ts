// A flag as data: one entry feeds the parser, the help, the environment variable and the tests.
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface Flag {
  /** As commander writes it: "--text-field <name>", "--quiet". */
  readonly flags: string;
  readonly help: string;
  /** What the help says of the default; the default itself lives with the code that uses it. */
  readonly fallback?: string;
  readonly choices?: readonly string[];
  readonly parse?: (text: string) => unknown;
}

/** The environment variable of a flag: --text-field is EMBEDKIT_TEXT_FIELD. */
export function envName(flag: Flag): string {
  return variableOf(/--[a-z-]+/.exec(flag.flags)?.[0] ?? '');
}

/** The same of a flag's long name, "--text-field". */
export function variableOf(long: string): string {
  return `EMBEDKIT_${long.slice(2).replaceAll('-', '_').toUpperCase()}`;
}

const OFF = new Set(['0', 'false', 'no', 'off']);

/** Adds the flags to a command; a flag given on the command line wins over its variable. */
export function addFlags(command: Command, flags: readonly Flag[]): void {
  for (const flag of flags) {
    const help = [flag.help, flag.fallback && `(default: ${flag.fallback})`].filter(Boolean).join(' ');
    const option = new Option(flag.flags, help);
    if (isSet(flag)) option.env(envName(flag));
    if (flag.choices !== undefined) option.choices(flag.choices);
    if (flag.parse !== undefined) option.argParser(flag.parse);
    command.addOption(option);
  }
}

/** Whether a flag's variable counts: an empty one does not, nor does "0" or "false" for a switch. */
function isSet(flag: Flag): boolean {
  const value = process.env[envName(flag)] ?? '';
  const isSwitch = !/[<[]/.test(flag.flags);
  return value !== '' && !(isSwitch && OFF.has(value.toLowerCase()));
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError(`"${text}" is not a whole number`);
}

/** "2.5%" -> 0.025. */
export function percentage(text: string): number {
  const value = Number(text.trim().slice(0, -1));
  if (/^\d+(\.\d+)?%$/.test(text.trim()) && value <= 100) return value / 100;
  throw new InvalidArgumentError(`"${text}" is not a percentage from 0% to 100%`);
}

/** "a, b,c" -> ["a", "b", "c"]. */
export function list(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return names;
  throw new InvalidArgumentError(`"${text}" has an empty name in it; write it like a,b,c`);
}
