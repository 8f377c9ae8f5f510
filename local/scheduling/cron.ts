/** AWS's cron: minutes, hours, day of month, month, day of week, year; with `?`, `L`, `W` and `#`. */

const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const dayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Day {
  year: number;
  month: number;
  day: number;
}

export interface Cron {
  minutes: number[];
  hours: number[];
  matchesDay(day: Day): boolean;
}

const weekday = ({ year, month, day }: Day): number => new Date(Date.UTC(year, month - 1, day)).getUTCDay();
const daysIn = ({ year, month }: Day): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

function readNumber(text: string, names: string[], base: number): number {
  const named = names.indexOf(text.toUpperCase());
  return named >= 0 ? named + base : /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** The values that a field without special signs stands for, in order. */
function values(field: string, min: number, max: number, names: string[] = [], base = 0): number[] {
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', stepText] = part.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    const [from = '', to] = range === '*' ? [String(min), String(max)] : range.split('-');
    const first = readNumber(from, names, base);
    const last = to !== undefined ? readNumber(to, names, base) : stepText === undefined ? first : max;
    if (!(first >= min && last <= max && first <= last && Number.isInteger(step) && step > 0))
      throw new Error(`'${part}' is not from ${min} to ${max}`);
    for (let value = first; value <= last; value += step) found.add(value);
  }
  return [...found].sort((a, b) => a - b);
}

function nearestWeekday(day: Day, wanted: number): number {
  const at = weekday({ ...day, day: wanted });
  if (at === 6) return wanted > 1 ? wanted - 1 : wanted + 2;
  if (at === 0) return wanted < daysIn(day) ? wanted + 1 : wanted - 2;
  return wanted;
}

function monthDayTest(field: string): (day: Day) => boolean {
  if (field === 'L') return (day) => day.day === daysIn(day);
  if (field === 'LW') return (day) => day.day === nearestWeekday(day, daysIn(day));
  const near = /^(\d{1,2})W$/.exec(field);
  if (near) return (day) => day.day === nearestWeekday(day, Number(near[1]));
  const allowed = values(field, 1, 31);
  return ({ day }) => allowed.includes(day);
}

function weekDayTest(field: string): (day: Day) => boolean {
  const nth = /^(\w+)#([1-5])$/.exec(field);
  if (nth) {
    const wanted = readNumber(nth[1] ?? '', dayNames, 1) - 1;
    return (day) => weekday(day) === wanted && Math.ceil(day.day / 7) === Number(nth[2]);
  }
  const last = /^(\w+)L$/.exec(field);
  if (last) {
    const wanted = readNumber(last[1] ?? '', dayNames, 1) - 1;
    return (day) => weekday(day) === wanted && day.day + 7 > daysIn(day);
  }
  if (field === 'L') return (day) => weekday(day) === 6;
  const allowed = values(field, 1, 7, dayNames, 1);
  return (day) => allowed.includes(weekday(day) + 1);
}

/** Reads the six fields between the parentheses of `cron(…)`. Throws an Error that names what is wrong. */
export function parseCron(fields: string): Cron {
  const parts = fields.trim().split(/\s+/);
  const [minute = '', hour = '', monthDay = '', month = '', weekDay = '', year = ''] = parts;
  if (parts.length !== 6)
    throw new Error('cron has six fields: minutes, hours, day of month, month, day of week, year');
  if ((monthDay === '?') === (weekDay === '?'))
    throw new Error("exactly one of day of month and day of week must be '?'");
  const months = values(month, 1, 12, monthNames, 1);
  const years = year === '*' ? undefined : values(year, 1970, 2199);
  const matchesMonthDay = monthDay === '?' ? () => true : monthDayTest(monthDay);
  const matchesWeekDay = weekDay === '?' ? () => true : weekDayTest(weekDay);
  return {
    minutes: values(minute, 0, 59),
    hours: values(hour, 0, 23),
    matchesDay: (day) =>
      months.includes(day.month) &&
      (years === undefined || years.includes(day.year)) &&
      matchesMonthDay(day) &&
      matchesWeekDay(day),
  };
}
