/// Refuses a model once, naming everything in it that has no rule.
func refuseUnsupportedOperators(_ graph: ONNXGraph) throws(ONNXError) {
  var labels: [String: [String]] = [:]
  var counts: [String: Int] = [:]
  for node in graph.nodes where ImportRules.rule(for: node) == nil {
    let name = node.domain.isEmpty ? node.opType : "\(node.domain).\(node.opType)"
    counts[name, default: 0] += 1
    if labels[name, default: []].count < listedNodes { labels[name, default: []].append("'\(node.label)'") }
  }
  guard !counts.isEmpty else { return }
  let types = counts.keys.sorted()
  var list = types.prefix(listedTypes).map { type in
    let (count, shown) = (counts[type, default: 0], labels[type, default: []])
    let more = count > shown.count ? ", …" : ""
    return "\(type) (\(count == 1 ? "node" : "\(count) nodes:") \(shown.joined(separator: ", "))\(more))"
  }
  if types.count > listedTypes { list.append("and \(types.count - listedTypes) more") }
  let noun = types.count == 1 ? "operator" : "operators"
  throw ONNXError(.unsupported, "uses unsupported \(noun): \(list.joined(separator: "; "))")
}

/// How many nodes of one type an error lists.
private let listedNodes = 10
/// How many operator types an error lists.
private let listedTypes = 40
