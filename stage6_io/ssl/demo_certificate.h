// Creates the demo's certificate when it runs.
#pragma once

#include <string>

namespace demo {

struct Identity {
  std::string certificate;  // PEM
  std::string key;
};

/// For localhost and 127.0.0.1, valid for a day, self-signed.
Identity self_signed();

}  // namespace demo
