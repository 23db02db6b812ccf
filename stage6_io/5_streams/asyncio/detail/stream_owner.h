// What the handles to a stream share: reader and writer hold one StreamOwner. Read next: ../stream_reader.h
#pragma once

#include <asyncio/detail/reader_state.h>
#include <asyncio/detail/ref_counted.h>
#include <asyncio/flow_control.h>

#include <memory>
#include <utility>

namespace asyncio::detail {

/// Closes the connection when the last handle is destroyed.
class StreamOwner final : public Pooled, public RefCounted<StreamOwner> {
 public:
  StreamOwner(std::shared_ptr<WriteTransport> transport, std::shared_ptr<FlowState> flow,
              Ref<ReaderState> reader) noexcept
      : transport_(std::move(transport)), flow_(std::move(flow)), reader_(std::move(reader)) {}
  StreamOwner(const StreamOwner&) = delete;
  StreamOwner& operator=(const StreamOwner&) = delete;
  ~StreamOwner() {
    try {
      transport_->close();
    } catch (...) {  // no memory to schedule the end: closing the loop closes the descriptor
    }
  }

  const std::shared_ptr<WriteTransport>& transport() const noexcept { return transport_; }
  void set_transport(std::shared_ptr<WriteTransport> transport) noexcept { transport_ = std::move(transport); }
  FlowState& flow() const noexcept { return *flow_; }
  ReaderState* reader() const noexcept { return reader_.get(); }  // null if there is only a writer

 private:
  std::shared_ptr<WriteTransport> transport_;
  std::shared_ptr<FlowState> flow_;
  Ref<ReaderState> reader_;
};

}  // namespace asyncio::detail
