/** 1970-01-01T00:00:00Z and 2199-12-31T23:59:59.999999Z, in Unix microseconds. */
const minEventTimeUs = 0;
export const maxEventTimeUs = Date.UTC(2200, 0, 1) * 1000 - 1;

/** The widest sensible form has 35 characters with nanoseconds; anything much longer is no time. */
const maxLength = 64;

/** The number written in `count` ASCII digits from `at`; NaN if one of them is no digit or the text ends. */
const digits = (text: string, at: number, count: number): number => {
  let number = 0;
  for (let index = at; index < at + count; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = number * 10 + digit;
  }
  return number;
};

const isLetter = (code: number, upper: number): boolean => code === upper || code === upper + 0x20;

/** Milliseconds of a calendar day's midnight, UTC; NaN if there is no such day. Years before 100 are out of range anyway. */
const dayMs = (text: string): number => {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return NaN;
  if (!(year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return NaN;
  const ms = Date.UTC(year, month - 1, day);
  // Date.UTC turns 30 February into 2 March.
  return day <= 28 || new Date(ms).getUTCDate() === day ? ms : NaN;
};

/** Minutes east of Greenwich that the zone from `at` to the end states; NaN if it is none. */
const zoneMinutes = (text: string, at: number): number => {
  const sign = text.charCodeAt(at);
  if (isLetter(sign, 0x5a)) return text.length === at + 1 ? 0 : NaN;
  if ((sign !== 0x2b && sign !== 0x2d) || text.length !== at + 6 || text.charCodeAt(at + 3) !== 0x3a) return NaN;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  return (sign === 0x2d ? -1 : 1) * (hours * 60 + minutes);
};

/** End of the run of digits from `at`. */
const digitsEnd = (text: string, at: number): number => {
  let end = at;
  while (!Number.isNaN(digits(text, end, 1))) end++;
  return end;
};

/** Microseconds of a fraction's digits in [from, to); finer digits are cut, not rounded. */
const fractionUs = (text: string, from: number, to: number): number => {
  const count = Math.min(to - from, 6);
  return digits(text, from, count) * 10 ** (6 - count);
};

/** A leap second comes at the end of a UTC month's last day. `ms` is the instant after it. */
const endsMonth = (ms: number): boolean => ms % 86_400_000 === 0 && new Date(ms).getUTCDate() === 1;

/**
 * Unix microseconds of an RFC 3339 date-time with a zone (`T` and `Z` in either case), or null if it is none or lies
 * outside of 1970 to 2199. Digits finer than microseconds are cut. Unix time has no name for a leap second: `:60` is
 * read as the first second of the next minute, as PostgreSQL does, and only at 23:59 UTC on the last day of a month.
 */
export const parseEventTime = (text: string): number | null => {
  if (text.length < 20 || text.length > maxLength) return null;
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (!isLetter(text.charCodeAt(10), 0x54) || text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return null;
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return null;
  const hasFraction = text.charCodeAt(19) === 0x2e;
  const zoneAt = hasFraction ? digitsEnd(text, 20) : 19;
  if (hasFraction && zoneAt === 20) return null;
  const ms = dayMs(text) + ((hour * 60 + minute - zoneMinutes(text, zoneAt)) * 60 + second) * 1000;
  if (second === 60 && !endsMonth(ms)) return null;
  const us = ms * 1000 + (hasFraction ? fractionUs(text, 20, zoneAt) : 0);
  return us >= minEventTimeUs && us <= maxEventTimeUs ? us : null;
};

/** Whether the text is a calendar day, `YYYY-MM-DD`. */
export const isCalendarDay = (text: string): boolean => text.length === 10 && !Number.isNaN(dayMs(text));
