// What the users' handles to a stream hold: the reader and the writer share one. Read next: ../stream_writer.h
#pragma once

#include <asyncio/detail/reader_state.h>
#include <asyncio/flow_control.h>

#include <memory>
#include <utility>

namespace asyncio::detail {

/// The last handle gone, nobody can write to the connection any more: it is closed.
class StreamOwner : public Pooled {
 public:
  StreamOwner(std::shared_ptr<WriteTransport> transport, std::shared_ptr<FlowState> flow,
              Ref<ReaderState> reader) noexcept
      : transport_(std::move(transport)), flow_(std::move(flow)), reader_(std::move(reader)) {}
  StreamOwner(const StreamOwner&) = delete;
  StreamOwner& operator=(const StreamOwner&) = delete;
  ~StreamOwner() {
    try {
      transport_->close();
    } catch (...) {  // no memory to schedule its end: the loop closes the descriptor when it is closed itself
    }
  }

  const std::shared_ptr<WriteTransport>& transport() const noexcept { return transport_; }
  FlowState& flow() const noexcept { return *flow_; }
  ReaderState* reader() const noexcept { return reader_.get(); }  // null if there is only a writer

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

 private:
  std::shared_ptr<WriteTransport> transport_;
  std::shared_ptr<FlowState> flow_;
  Ref<ReaderState> reader_;
  std::uint32_t refs_ = 1;
};

}  // namespace asyncio::detail
