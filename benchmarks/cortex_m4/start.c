/* Reset of an emulated Cortex-M4: vector table, floating-point unit on, then newlib's start with semihosting. */
#include <stdint.h>

#define COPROCESSOR_ACCESS (*(volatile uint32_t *)0xE000ED88)

extern void _start(void);
extern uint32_t stack_top;

static void reset(void)
{
    COPROCESSOR_ACCESS |= 0xFu << 20;
    __asm volatile("dsb; isb");
    _start();
}

static void fault(void)
{
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static const void *const vectors[8] = {
    &stack_top, (void *)reset, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault, 0,
};
