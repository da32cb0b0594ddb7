/**
 * Stands in for `@std/testing/types` where JSR does not answer: what this
 * project's tests need to assert something about a type.
 *
 * @module
 */

/** Marks where a type says `any`, so that it matches nothing but `any`. */
interface AnyBrand {
  readonly any: unique symbol;
}

type Branded<T, Above = never> = IsAny<T> extends true ? AnyBrand
  : T extends Above ? T
  : { [K in keyof T]-?: Branded<T[K], Above | T> };

type IsMutual<T, U> = [T] extends [U] ? [U] extends [T] ? true : false : false;

/** Asserts, when the file is type-checked, that the type is this boolean. */
export function assertType<T extends boolean>(_expectTrue: T): void {}

/** Does not compile unless the type is `true`. */
export type AssertTrue<T extends true> = T;

/** Does not compile unless the type is `false`. */
export type AssertFalse<T extends false> = T;

/** Whether the type is `any`. */
export type IsAny<T> = 0 extends (1 & T) ? true : false;

/** Whether the type is `never`. */
export type IsNever<T> = [T] extends [never] ? true : false;

/** Whether the type is `unknown`. */
export type IsUnknown<T> = IsAny<T> extends true ? false
  : unknown extends T ? true
  : false;

/** Whether the type lets `null` or `undefined` in. */
export type IsNullable<T> = IsNever<Extract<T, null | undefined>> extends true
  ? false
  : true;

/** Whether `U` is among the members of the union `T`. */
export type Has<T, U> = IsAny<T> extends true ? true
  : IsAny<U> extends true ? false
  : IsNever<Extract<T, U>> extends true ? false
  : true;

/** Whether `U` is not among the members of the union `T`. */
export type NotHas<T, U> = Has<T, U> extends true ? false : true;

/** Whether each type can be used as the other, and both say `any` alike. */
export type IsExact<T, U> = IsAny<T> extends true ? IsAny<U>
  : IsAny<U> extends true ? false
  : IsMutual<T, U> extends true ? IsMutual<Branded<T>, Branded<U>>
  : false;
