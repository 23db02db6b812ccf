// Exercise 3: why a callback is removed by a number. Here its id is the address of its node, and the nodes are pooled.
#include <functional>
#include <iostream>
#include <list>

struct Node {
  std::function<void()> callback;
};
using Id = const Node*;

class Callbacks {
 public:
  Id add(std::function<void()> callback) {
    if (pool_.empty()) pool_.emplace_back();
    used_.splice(used_.end(), pool_, pool_.begin());  // the node that was given back last
    used_.back().callback = std::move(callback);
    return &used_.back();
  }
  bool remove(Id id) {
    for (auto node = used_.begin(); node != used_.end(); ++node) {
      if (&*node != id) continue;
      pool_.splice(pool_.begin(), used_, node);
      return true;
    }
    return false;
  }
  void run() {
    for (const Node& node : used_) node.callback();
  }

 private:
  std::list<Node> used_, pool_;
};

int main() {
  Callbacks callbacks;
  const Id mine = callbacks.add([] { std::cout << "mine\n"; });
  callbacks.remove(mine);

  callbacks.add([] { std::cout << "somebody else's\n"; });
  std::cout << std::boolalpha << "removed a second time: " << callbacks.remove(mine) << '\n';
  callbacks.run();
  std::cout << "nobody was called\n";
}
