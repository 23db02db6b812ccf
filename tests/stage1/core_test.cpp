// The cores of stage 1, against the contract of all cores; and what is particular to virtual time.
#include <asyncio/sleep_core.h>
#include <asyncio/virtual_core.h>

#include "support/core_contract.h"
#include "support/test_core.h"

namespace asyncio::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Sleep, CoreContract, CORE("SleepCore", std::make_unique<SleepCore>()), core_name);
INSTANTIATE_TEST_SUITE_P(Sleep, RealTimeCoreContract, CORE("SleepCore", std::make_unique<SleepCore>()), core_name);
INSTANTIATE_TEST_SUITE_P(Virtual, CoreContract, CORE("VirtualCore", std::make_unique<VirtualCore>()), core_name);
// The core that all tests run on: VirtualCore again, or stage 6's in virtual time.
INSTANTIATE_TEST_SUITE_P(Tests, CoreContract, CORE("make_core", testing::make_core()), core_name);

}  // namespace
}  // namespace asyncio::testing
