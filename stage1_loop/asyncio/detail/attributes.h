// What the compiler is told beyond C++20, where it listens; and what it must be able to do.
// Skip on a first reading.
#pragma once

#if __cplusplus < 202002L
#error "asyncio needs C++20: compile with -std=c++20"
#endif
#if !defined(__cpp_exceptions)
#error "asyncio needs exceptions (cancelling throws CancelledError): compile without -fno-exceptions"
#endif
#if !defined(__cpp_rtti)
#error "asyncio needs run-time type information (it tells exceptions apart): compile without -fno-rtti"
#endif

/// Behind a parameter: what is returned refers to the argument, so a temporary must not be its argument unless the
/// result is used in the same statement. Behind a member function's parameters: the object is meant. clang warns of
/// the rest [-Wdangling]; to other compilers it is empty.
#if defined(__clang__)
#define ASYNCIO_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define ASYNCIO_LIFETIMEBOUND
#endif

/// With -DASYNCIO_CHECK_LIFETIMES, clang 18 and newer warn of every coroutine whose arguments are gone before it runs,
/// ASYNCIO_LIFETIMEBOUND or not. It is no default, since then a plain function that returns a Coro does not compile,
/// unless it is marked [[clang::coro_wrapper]]. Ours are, by ASYNCIO_CORO_WRAPPER: they keep what they are given.
#if defined(ASYNCIO_CHECK_LIFETIMES) && defined(__clang__)
#if __has_cpp_attribute(clang::coro_lifetimebound)
#define ASYNCIO_CORO_TYPE [[clang::coro_return_type, clang::coro_lifetimebound]]
#define ASYNCIO_CORO_WRAPPER [[clang::coro_wrapper, clang::coro_disable_lifetimebound]]
#endif
#endif
#if !defined(ASYNCIO_CORO_TYPE)
#define ASYNCIO_CORO_TYPE
#define ASYNCIO_CORO_WRAPPER
#endif
