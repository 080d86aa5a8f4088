/// All passes in the order in which a round runs them. Rounds repeat until one changes nothing.
///
/// Clean up first, then canonicalise, so that the patterns after it see one spelling; recognise compound
/// functions before their parts are folded away; fuse last.
enum Pipeline {
  static let passes: [any Pass.Type] = [
    EliminateDeadCode.self,
    RecognizeClip.self,
    RecognizeHardSigmoid.self,
    RecognizeHardSwish.self,
    RecognizeSilu.self,
    RecognizeGelu.self,
  ]
}
